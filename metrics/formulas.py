"""The formula of every metric, in plain text, for its card.

Not part of `MetricSpec`: a run records its specs, and the wording of a formula says nothing about a run.
"""

from __future__ import annotations

LETTERS = (
    "t a frame, T the frames looked at, F those of them with a face; r a reference, p the prompt; "
    "s a subject, S the subjects; k an event, K how many there are; e(x) the embedding of x; "
    "cos(a, b) = a.b / (|a| |b|); mean_x the mean over x; [c] is 1 where c holds, else 0; "
    "clip(x, a, b) = min(max(x, a), b)."
)
"""What the letters stand for."""

_FACE = "mean_(t in F) max(0, cos(e(face of t), e(face of r)))"
_EVERY_FRAME = "(1 / |T|) sum_(t in F) max(0, cos(e(face of t), e(face of r)))"
_SUBJECT_FACE = "mean_(s, t matched) max(0, cos(e(face of s in t), e(face of s in its references)))"
_REGRESSION = "one output of the network's regression head on sampled frames and the prompt"

FORMULAS: dict[str, str] = {
    "aesthetic_score": "mean_t head(e(t) / |e(t)|)",
    "aesthetic_score_unit": "(clip(aesthetic_score, 4, 7) - 4) / 3",
    "akd": "mean_(t, i) (|dx| + |dy|) / 2, (dx, dy) from landmark i of the real video to ours, at 256 x 256",
    "arc_score": _FACE,
    "arc_score_all_frames": _EVERY_FRAME,
    "audio_agrees": "max_k corr(d(t), s(t + k)), |k| <= 1 s, d the driving sound, s the file's, over "
    "their overlap",
    "audio_lag": "the k of audio_agrees, in seconds",
    "audio_present": "[standard deviation of s >= 10 of 32768]",
    "clip_prompt_tokens": "tokens of p, with start and end",
    "clip_prompt_truncated": "[clip_prompt_tokens > 77]",
    "clip_score": "mean_t cos(e(t), e(first 77 tokens of p))",
    "clip_score_long": "mean_t cos(e(t), mean_w e(w) / |e(w)|), w over the windows of p",
    "cur_score": _FACE,
    "cur_score_all_frames": _EVERY_FRAME,
    "cuts": "hard cuts found by PySceneDetect's ContentDetector (threshold 27)",
    "duration_difference": "length of the pictures - length of the driving sound",
    "dynamic_degree": "[m(t) > 6 px x short side / 256 for at least |T| / 4 frames t], m(t) = mean of "
    "the longest 5 % of |flow(t, next)|",
    "dynamic_degree_lite": "mean_t (mean of the fastest 5 % of |flow|, in px/s) / short side in px",
    "f_lmd": "mean_(t, i) |(dx, dy)| of akd",
    "f_lmd_aligned": "mean_(t, i) |A_t p_i(t) - q_i(t)| / |q_36(t) - q_45(t)|, "
    "A_t the similarity of nose and eyes",
    "face_coverage": "|F| / |T|",
    "face_feature_distance": "mean_(t in F) |e(face of t) - e(face of r)|^2",
    "face_fid": "|m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2)), m and C mean and covariance of "
    "the features of all generated faces (1) and of all distinct reference faces (2)",
    "face_fid_samples": "|F|",
    "fid": "the distance of face_fid, over features of frames of all videos (1) and of the real ones (2)",
    "fid_samples": "frames that were read",
    "fvd": "the distance of face_fid, over I3D's logits of clips of all videos (1) and of the real ones (2)",
    "fvd_floor": "the distance of fvd, over the clips of every second real video (1) and of the others (2)",
    "fvd_samples": "whole clips that were read",
    "gme_score": "mean_t e(t).e(p), both of length 1",
    "imaging_quality": "mean_t MUSIQ(t) / 100",
    "inference_fps": "frames / seconds, both as a file says",
    "landmark_coverage": "share of t with a face in ours, of those with one in the real video",
    "lite_boundary_match": "mean_b max(0, 1 - |b - c(b)| / 0.5 s), b over the prompted boundaries, c(b) the "
    "change point matched to it; 0 where there is none",
    "lite_clipping": "mean_t (share of pixels with luma < 2.5 or > 252.5)",
    "lite_identity": "mean_(t in F) max_r cos(d(face of t), d(face of r)), d of HOG and LBP",
    "lite_imaging": "mean_t sharpness(t) exp(-noise(t) / 16) (1 - clipping(t))",
    "lite_landmark_distance": "mean_(t, i) |p_i(t) - q_i(t)| / |q_1(t) - q_2(t)|, p the five points, q those "
    "of the real video",
    "lite_lip_lag": "the k of lite_lip_sync",
    "lite_lip_sync": "max_k corr(m(t), l(t + k)), |k| <= 6, m(t) = mean |mouth(t) - mouth(t - 1)|, l the "
    "loudness",
    "lite_motion": "1 - sqrt(mean_t a(t)^2) / 255, a(t) = mean |t - t predicted from both neighbours|",
    "lite_noise": "mean_t (25 % quantile of |L * luma(t)|) / (6 x 0.3186), L the Laplacian difference",
    "lite_sharpness": "mean_t clip(1 - blur(median 3 x 3 of t), 0, 1)",
    "m_lmd": "f_lmd over i from 48 to 67",
    "motion_amplitude": "|mean of u and v over pixels and pairs of frames|, (u, v) the optical flow in px",
    "motion_amplitude_unit": "min(motion_amplitude, 1)",
    "motion_smoothness": "(255 - mean_(t odd) mean |t - t predicted from both neighbours|) / 255",
    "mouth_motion": "share of t with m(t) > 1.5 of 255, m of lite_lip_sync",
    "natural_score": "mean of three marks from 1 to 5",
    "natural_score_unit": "(clip(natural_score, 1, 5) - 1) / 4",
    "nexus_score": "(similarity of the detected subjects with r) / (number of t with a detection)",
    "nexus_score_unit": "min(nexus_score, 0.05) / 0.05; none where nexus_score is 0",
    "opens2v_smoothness": "1 - (frames with a jump of more than 0.025 in quality) / |T|",
    "real_time_factor": "inference_fps / frame rate of the video",
    "subject_arc_score": _SUBJECT_FACE,
    "subject_consistency": "mean_(t > 0) (max(0, cos(e(t), e(t before))) + max(0, cos(e(t), e(first)))) / 2",
    "subject_coverage": "(number of (s, t) in which s is found) / (|S| |T|)",
    "subject_cur_score": _SUBJECT_FACE,
    "subject_face_coverage": "(number of (s, t) in which a face is matched to s) / (|S| |T|), S with a face "
    "in their references",
    "subject_similarity": "mean_(s, t found) a(s, t), a(s, t) = max_r cos(e(crop of s in t), e(r)), r over "
    "the references of s",
    "subject_similarity_all_frames": "(1 / (|S| |T|)) sum_(s, t found) a(s, t), a(s, t) = max_r cos(e(crop "
    "of s in t), e(r)), r over the references of s",
    "timeline_ata": "max(0, SEM) x TIM x CON",
    "sync_c": "median_k D(k) - min_k D(k), D(k) = mean_i |lips(i) - sound(i + k)|, |k| <= 15 frames",
    "sync_c_at_zero": "median_k D(k) - D(0), D of sync_c",
    "sync_d": "min_k D(k), D of sync_c",
    "sync_offset": "-argmin_k D(k), D of sync_c",
    "timeline_all_present": "[s(k) >= 0.95 for every k], s as in timeline_sem",
    "timeline_boundary_accuracy": "(starts and ends found within 0.5 s) / (2 K)",
    "timeline_boundary_error": "mean over starts and ends of found events of |found - prompted|, in s",
    "timeline_clip_t": "mean_(k reached) cos(e(prompted stretch of k), e(text of k))",
    "timeline_con": "(share of frames read) x max(0, mean_(k < l) cos(m(k), m(l))), m(k) the mean "
    "feature of k",
    "timeline_con_min": "(share of frames read) x max(0, min_(k < l) cos(m(k), m(l))), m(k) the mean "
    "feature of k",
    "timeline_events": "K",
    "timeline_excess": "length of the video - end of the timeline, in s",
    "timeline_interval_distance": "mean_(k found) |(start, end) found - (start, end) prompted|, in s",
    "timeline_lag": "argmax over shifts d of the fit of the video to the timeline moved by d, in s",
    "timeline_miou": "(1 / K) sum_k |found(k) and prompted(k)| / |found(k) or prompted(k)|",
    "timeline_miou_rescaled": "timeline_miou with times x (length of the video / end of the timeline)",
    "timeline_mof": "(labelled windows in which the prompted action has the largest double-centred "
    "similarity) / (labelled windows)",
    "timeline_mof_corrected": "(MoF - 1/K) / (1 - 1/K)",
    "timeline_motion_order": "[every event is found, and timeline_order = 1]",
    "timeline_order": "(pairs k, l found in the prompted order - pairs found in the other) / pairs, by "
    "centres",
    "timeline_p": "(1 + random timelines with at least the contrast of the prompted one) / 200",
    "timeline_recall_at_1": "(1 / K) sum_k [text k has the largest double-centred similarity in its own "
    "stretch]",
    "timeline_recall_at_half": "(1 / K) sum_k [IoU(k) >= 0.5]",
    "timeline_sem": "(1 / K) sum_k (2 s(k) - 1), s(k) the share of other actions with a smaller "
    "cos(e(prompted stretch of k), e(text))",
    "timeline_success": "[timeline_p <= 0.05]",
    "timeline_tim": "(T - E) / (1 - E), T the mean of (MoF - 1/K) / (1 - 1/K), order, (mIoU - f) / (1 - f) "
    "and the correlation of curves and prompted times, E its mean over orders of the texts; f the mean IoU "
    "of noise",
    "timeline_tim_rescaled": "timeline_tim with times x (length of the video / end of the timeline)",
    "video_score_dynamic_degree": _REGRESSION,
    "video_score_factual_consistency": _REGRESSION,
    "video_score_temporal_consistency": _REGRESSION,
    "video_score_text_alignment": _REGRESSION,
    "video_score_visual_quality": _REGRESSION,
}
"""By metric name; a metric that two evaluators measure has one formula."""
