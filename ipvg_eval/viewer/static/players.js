// Videos of one sample that play, stop and step together.

const DRIFT = 0.05; // seconds between two videos that are said to play in sync
const HARDLY = 1e-6;

class Players {
  /** `each`: {run, src, fps, seconds}; `onTime` is told the shown frame's time and number. */
  constructor(each, onTime) {
    this.onTime = onTime;
    this.playing = false;
    this.loop = true;
    this.players = each.map((given) => this.make(given));
    this.wanted = null;
  }

  make(given) {
    const video = element("video", { src: given.src, preload: given.preload ?? "auto", playsinline: true, tabindex: "-1" });
    video.muted = true;
    const player = { ...given, video, rate: given.fps || 25, time: 0, failed: false };
    video.addEventListener("error", () => {
      player.failed = true;
      given.onError?.(video.error?.message ?? "");
      if (this.lead === undefined) this.pause();
    });
    video.addEventListener("ended", () => this.ended(player));
    const frame = (_now, { mediaTime }) => {
      player.time = mediaTime;
      player.frame = Math.round(mediaTime * player.rate);
      this.shown(player);
      if (this.playing) this.align(player);
      video.requestVideoFrameCallback(frame);
    };
    // A browser may leave out the callback of a frame that it shows while it is busy.
    const still = () => {
      player.frame = Math.floor(video.currentTime * player.rate + HARDLY);
      player.time = player.frame / player.rate;
      this.shown(player);
    };
    video.addEventListener("seeked", () => this.playing || still());
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(frame);
    else video.addEventListener("timeupdate", still);
    return player;
  }

  /** The longest video: the others follow it. */
  get lead() {
    let longest;
    for (const player of this.players) {
      if (!player.failed && (longest === undefined || (player.seconds ?? 0) > (longest.seconds ?? 0))) longest = player;
    }
    return longest;
  }

  shown(player) {
    player.video.dataset.frame = player.frame;
    player.onFrame?.();
    if (player !== this.lead) return;
    if (player.frame === this.wanted) this.wanted = null;
    this.onTime(player.time, player.frame);
  }

  align(player) {
    const lead = this.lead;
    if (player === lead || player.video.ended || player.video.seeking) return;
    if (Math.abs(player.video.currentTime - lead.video.currentTime) > DRIFT) {
      player.video.currentTime = lead.video.currentTime;
    }
  }

  async play() {
    const able = this.players.filter((player) => !player.failed);
    if (!able.length) return;
    this.playing = true;
    this.wanted = null;
    const lead = this.lead;
    if (lead.video.ended || lead.video.currentTime >= lead.video.duration - HARDLY) lead.video.currentTime = 0;
    for (const player of able) {
      if (player !== lead) player.video.currentTime = Math.min(lead.video.currentTime, player.video.duration || 0);
    }
    this.changed?.();
    await Promise.allSettled(able.map((player) => player.video.play()));
  }

  pause() {
    this.playing = false;
    for (const player of this.players) player.video.pause();
    const lead = this.lead;
    if (lead !== undefined && lead.frame !== undefined) this.show(lead.frame);
    this.changed?.();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  ended(player) {
    if (player !== this.lead || !this.playing) return;
    if (this.loop) {
      for (const each of this.players) each.video.currentTime = 0;
      this.play();
    } else this.pause();
  }

  /** Show the frame at a time in every video: each seeks to the middle of its own frame. */
  seek(time) {
    this.wanted = null;
    for (const player of this.players) {
      const last = Math.max(0, Math.round((player.seconds ?? player.video.duration ?? 0) * player.rate) - 1);
      const frame = Math.min(last, Math.max(0, Math.floor(time * player.rate + HARDLY)));
      player.video.currentTime = (frame + 0.5) / player.rate;
    }
  }

  /** Show a frame of the lead by its number, and in the others the one at its time. */
  show(frame) {
    const lead = this.lead;
    if (lead !== undefined) this.seek((frame + 0.5) / lead.rate);
  }

  step(by) {
    if (this.playing) this.pause();
    const lead = this.lead;
    if (lead === undefined) return;
    const last = Math.max(0, Math.round((lead.seconds ?? 0) * lead.rate) - 1);
    // Counted from what was asked for last: keys may come faster than frames.
    const to = Math.min(last, Math.max(0, (this.wanted ?? lead.frame ?? 0) + by));
    this.show(to);
    this.wanted = to;
  }

  speed(rate) {
    for (const player of this.players) player.video.playbackRate = rate;
  }

  /** Let one run be heard, or none. */
  listen(run) {
    for (const player of this.players) player.video.muted = player.run !== run;
  }

  close() {
    this.playing = false;
    for (const { video } of this.players) {
      video.pause();
      video.removeAttribute("src");
      video.load();
    }
  }
}
