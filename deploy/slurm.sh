#!/usr/bin/env bash
# Score on all nodes of a Slurm allocation; docs/scaling.md explains it.
#
#   sbatch --nodes=4 --gpus-per-node=8 deploy/slurm.sh uploads/team-a --testset testset --protocol ipvg --out runs/team-a
#
# Everything after the script's name goes to `ipvg-eval score`. Paths must be on a file system that all nodes
# share. After a time limit or a lost node submit the same line again: it goes on where it stopped.
#SBATCH --job-name=ipvg-eval
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
set -euo pipefail

# The environment that has ipvg-eval[metrics,ray]; activate it here or before sbatch.
command -v ipvg-eval >/dev/null || { echo "ipvg-eval is not on the PATH" >&2; exit 2; }

cpus=${SLURM_CPUS_ON_NODE:?run this with sbatch}
gpus=${SLURM_GPUS_ON_NODE:-0}
nodes=$SLURM_JOB_NUM_NODES
if ((gpus > 0)); then workers=$((nodes * gpus)) share=1; else workers=$((nodes * cpus)) share=0; fi

# Only this job's processes may join or use the cluster.
RAY_AUTH_TOKEN=$(python -c 'import secrets; print(secrets.token_hex(32))')
export RAY_AUTH_TOKEN RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
ip=$(srun --nodes=1 --ntasks=1 --nodelist="$head" hostname -I | cut -d ' ' -f 1)
port=$((20000 + SLURM_JOB_ID % 20000))
resources=(--num-cpus="$cpus" --num-gpus="$gpus")

trap 'kill $(jobs -p) 2>/dev/null || true; wait || true' EXIT
srun --nodes=1 --ntasks=1 --nodelist="$head" \
  ray start --head --node-ip-address="$ip" --port="$port" --include-dashboard=false "${resources[@]}" --block >&2 &
for ((second = 0; second < 120; second++)); do
  (exec 3<>"/dev/tcp/$ip/$port") 2>/dev/null && break
  sleep 1
done
if ((nodes > 1)); then
  srun --nodes="$((nodes - 1))" --ntasks="$((nodes - 1))" --exclude="$head" \
    ray start --address="$ip:$port" "${resources[@]}" --block >&2 &
fi

# Nodes that join later are given their workers then.
ipvg-eval score "$@" --ray "$ip:$port" --workers "$workers" --gpus-per-worker "$share"
