"""GMEScore: how well the frames show what the prompt says, by GME's Qwen2-VL embeddings."""
