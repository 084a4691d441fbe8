"""CLIPScore: how well the frames show what the prompt says, by CLIP's image and text towers."""
