// The face that counts in each measured frame: its box on the video, and the crops in a row.

const AROUND = 0.2; // of the box that is shown around it

/** The box on a player: there while the shown frame is a measured one. */
function faceBox(faces, player) {
  const outline = element("svg:rect", { "vector-effect": "non-scaling-stroke" });
  const drawing = element("svg:svg", { class: "face-box", preserveAspectRatio: "xMidYMid meet", "aria-hidden": "true" }, outline);
  const { video } = player;
  video.addEventListener("loadedmetadata", () => {
    drawing.setAttribute("viewBox", `0 0 ${video.videoWidth} ${video.videoHeight}`);
  });
  player.onFrame = () => {
    const box = faces.boxes[faces.frames.indexOf(player.frame ?? 0)];
    outline.style.display = box ? "" : "none";
    if (!box) return;
    const [left, top, right, bottom] = box;
    outline.setAttribute("x", left * video.videoWidth);
    outline.setAttribute("y", top * video.videoHeight);
    outline.setAttribute("width", (right - left) * video.videoWidth);
    outline.setAttribute("height", (bottom - top) * video.videoHeight);
  };
  return drawing;
}

/** Rows of crops, taken from the videos once they are asked for. */
function faceSection(details, number, jump, cursors) {
  const { runs } = Data.index;
  const shown = details.runs.flatMap((run, k) => (run?.faces && run.state !== "none" && runs[k].video[number] ? [{ run: k, ...run }] : []));
  if (!shown.length) return [];
  const section = element("details", { class: "faces" }, element("summary", { text: "Faces that were compared" }));
  const rows = shown.map(({ run, faces, curves, fps }) => {
    const compared = faces.compared.map((name) => curves.find((curve) => curve.metric === name)).filter(Boolean);
    const canvases = [];
    const buttons = faces.frames.map((frame, k) => {
      const values = compared.map((curve) => {
        const place = curve.frames.indexOf(frame);
        return shownValue(curve, place);
      });
      const words = `Frame ${frame}: ${faces.boxes[k] ? values.join(", ") || "a face" : "no face"}`;
      const canvas = faces.boxes[k] ? element("canvas", { width: 96, height: 96 }) : null;
      if (canvas) canvases.push({ canvas, frame, box: faces.boxes[k] });
      return element("button", { type: "button", "aria-label": words, on: { click: () => jump(faces.times[k] + 0.5 / (fps || 25)) } },
        canvas ?? element("span", { class: "none", text: "no face" }),
        element("span", { text: values.map((value) => value.split(" ").at(-1)).join(" · ") || `frame ${frame}` }));
    });
    cursors.push((time) => {
      const now = nearest(faces.times, time);
      buttons.forEach((button, k) => (k === now ? button.setAttribute("aria-current", "true") : button.removeAttribute("aria-current")));
    });
    section.append(element("div", { class: "face-row" },
      element("h3", {}, swatch(run), element("span", { text: runs[run].name, dir: "auto" })),
      element("div", { class: "face-list", role: "group", "aria-label": `Faces of ${runs[run].name}` }, ...buttons)));
    return { run, canvases, fps };
  });
  let drawn = false;
  section.addEventListener("toggle", () => {
    if (!section.open || drawn) return;
    drawn = true;
    for (const { run, canvases, fps } of rows) drawCrops(`videos/${run}/${number}.mp4`, canvases, fps || 25);
  });
  return [section];
}

function shownValue(curve, place) {
  const metric = Data.metrics.get(curve.metric);
  return `${metric.title} ${shown(curve.values[place], metric)}`;
}

/** Seek a video of its own from face to face, so that the one that plays is left alone. */
async function drawCrops(address, canvases, fps) {
  const video = element("video", { src: address, preload: "auto" });
  video.muted = true;
  try {
    await new Promise((resolve, reject) => {
      video.addEventListener("loadeddata", resolve, { once: true });
      video.addEventListener("error", reject, { once: true });
    });
    for (const { canvas, frame, box } of canvases) {
      if (!canvas.isConnected) break;
      const there = new Promise((resolve) => {
        video.addEventListener("seeked", resolve, { once: true });
      });
      video.currentTime = (frame + 0.5) / fps;
      await there;
      const [left, top, right, bottom] = box;
      const [wide, high] = [video.videoWidth, video.videoHeight];
      const side = (1 + 2 * AROUND) * Math.max((right - left) * wide, (bottom - top) * high);
      const [x, y] = [((left + right) / 2) * wide - side / 2, ((top + bottom) / 2) * high - side / 2];
      canvas.getContext("2d").drawImage(video, x, y, side, side, 0, 0, canvas.width, canvas.height);
      canvas.dataset.frame = frame;
    }
  } catch {
    return; // the player above says that the video does not play
  } finally {
    video.removeAttribute("src");
    video.load();
  }
}
