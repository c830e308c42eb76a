// The browser's side of widget.py: a photo from a file or the camera, and the camera live.

// A message must stay below the servers' limit of 10 MB: larger files, and camera pictures, are sent as a jpg.
const LARGEST_FILE = 5e6;
const LONGEST_SIDE = 2000;
// Live pictures are small, since a face is found sooner in them. On two cores that had other
// work besides, Chromium showed 6 to 9 answers a second with pictures of 240 pixels, and 5 to 6 with 320.
const LIVE_SIDE = 240;
const SHORTEST_PAUSE = 100;  // ms from one live picture to the next: at most ten a second, the rest is for others
const PATIENCE = 10000;  // ms without an answer after which the camera is closed
const COLOUR = "#ffb000";

async function asJpeg(source, width, height, longestSide = LONGEST_SIDE) {
  const scale = Math.min(1, longestSide / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "white";  // a jpg knows no transparency
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.95));
}

async function shrink(file) {
  if (file.size <= LARGEST_FILE) return file;
  const bitmap = await createImageBitmap(file);
  return asJpeg(bitmap, bitmap.width, bitmap.height);
}

// Draws a box and its words for each face; the boxes are in pixels of the small picture that was sent.
function drawFaces(canvas, video, faces) {
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const context = canvas.getContext("2d");
  const scale = Math.max(1, Math.max(canvas.width, canvas.height) / LIVE_SIDE);
  const size = Math.round(canvas.width / 25);
  context.font = `bold ${size}px sans-serif`;
  context.lineWidth = size / 6;
  for (const { box, word, probability } of faces) {
    const [left, top, side] = box.map((value) => value * scale);
    const text = `${word} ${Math.round(100 * probability)} %`;
    const base = Math.max(top, 1.4 * size);  // of the words, above the box where there is room
    context.strokeStyle = context.fillStyle = COLOUR;
    context.strokeRect(left, top, side, side);
    context.fillRect(left, base - 1.4 * size, context.measureText(text).width + size, 1.4 * size);
    context.fillStyle = "black";
    context.fillText(text, left + size / 2, base - 0.4 * size);
  }
}

function render({ model, el }) {
  el.innerHTML = `
    <p><label>Choose a photo: <input type="file" accept="image/*"></label></p>
    <p><button type="button">Use the camera</button> <button type="button" hidden>Live</button></p>
    <div hidden style="position: relative; width: 480px; max-width: 100%">
      <video muted playsinline style="display: block; width: 100%"></video>
      <canvas style="position: absolute; inset: 0; width: 100%; height: 100%"></canvas>
    </div>
    <pre role="status" style="white-space: pre-wrap"></pre>
    <img hidden style="max-width: 100%">`;
  const [input, screen, video, canvas, words, picture] =
    ["input", "div", "video", "canvas", "pre", "img"].map((name) => el.querySelector(name));
  const [button, liveButton] = el.querySelectorAll("button");
  liveButton.hidden = !model.get("live");
  let stream = null;
  let live = null;  // while the camera is live: {sent: when, timer: of the next picture or of the patience}
  let count = 0;  // of live pictures: tells the answer that is waited for from one that comes too late

  const say = (text) => {
    if (words.textContent !== text) words.textContent = text;  // a screen reader reads every change
  };

  async function send(blob) {
    say("The network looks at the photo ...");
    model.send({}, undefined, [await blob.arrayBuffer()]);
  }

  function closeCamera() {
    if (live) say("");
    clearTimeout(live?.timer);
    live = null;
    count += 1;
    stream?.getTracks().forEach((track) => track.stop());
    stream = video.srcObject = null;
    canvas.width = 0;
    screen.hidden = true;
    button.textContent = "Use the camera";
    liveButton.textContent = "Live";
  }

  async function openCamera() {
    if (!navigator.mediaDevices) {
      say("The browser gives no camera to this page (it must be https or localhost). Choose a file.");
      return;
    }
    say("The browser asks whether this page may use the camera.");
    button.disabled = liveButton.disabled = true;  // else a second click would open it a second time
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: true });
      video.srcObject = stream;
      screen.hidden = false;
      await video.play();  // from here on there is a picture to take
      say("");
      button.textContent = "Take the photo";
    } catch (error) {
      closeCamera();
      say(`No picture from the camera (${error.name}): allow it in the browser, or choose a file.`);
    }
    button.disabled = liveButton.disabled = false;
    if (!el.isConnected || document.hidden) closeCamera();  // the cell was left while the browser asked
  }

  async function takePhoto() {
    const photo = await asJpeg(video, video.videoWidth, video.videoHeight);
    closeCamera();
    await send(photo);
  }

  async function goLive() {
    if (!stream) await openCamera();
    if (!stream || live) return;
    picture.hidden = true;
    live = {};
    canvas.dataset.answers = 0;
    liveButton.textContent = "Stop";
    await look();
  }

  // Sends the camera's picture. The next one follows its answer: two are never on their way, however slow the kernel.
  async function look() {
    const frame = await asJpeg(video, video.videoWidth, video.videoHeight, LIVE_SIDE);
    const content = await frame.arrayBuffer();
    if (!live) return;
    count += 1;
    live.sent = performance.now();
    live.timer = setTimeout(giveUp, PATIENCE);
    model.send({ look: count }, undefined, [content]);
  }

  function giveUp() {
    closeCamera();
    say(`The camera is closed: no answer for ${PATIENCE / 1000} seconds. Does another cell run? Is the kernel there?`);
  }

  function showLook({ look: number, faces, words: text }) {
    if (!live || number !== count) return;
    clearTimeout(live.timer);
    say(text);
    drawFaces(canvas, video, faces);
    canvas.dataset.answers = Number(canvas.dataset.answers) + 1;
    live.timer = setTimeout(look, Math.max(0, live.sent + SHORTEST_PAUSE - performance.now()));
  }

  function showPhoto({ words: text }, buffers) {
    URL.revokeObjectURL(picture.src);
    words.textContent = picture.alt = text;
    picture.hidden = buffers.length === 0;
    if (buffers.length) picture.src = URL.createObjectURL(new Blob([buffers[0]], { type: "image/png" }));
  }

  const showAnswer = (answer, buffers) => ("look" in answer ? showLook(answer) : showPhoto(answer, buffers));

  // The cell is left: scrolled away, another tab in front, the page hidden. (When it is run again or removed, the
  // function that render returns is called.)
  function leave() {
    if (!stream) return;
    closeCamera();
    say("You left the cell: the camera is closed.");
  }
  const leaveIfHidden = () => document.hidden && leave();
  const leaveIfAway = new IntersectionObserver((entries) => entries.at(-1).isIntersecting || leave());

  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file) return;
    closeCamera();
    try {
      await send(await shrink(file));
    } catch (error) {
      say(`${file.name} could not be sent (${error.name}): save it as a smaller jpg.`);
    }
  });
  button.addEventListener("click", () => (stream ? takePhoto() : openCamera()));
  liveButton.addEventListener("click", () => (live ? closeCamera() : goLive()));
  document.addEventListener("visibilitychange", leaveIfHidden);
  leaveIfAway.observe(screen);
  model.on("msg:custom", showAnswer);
  return () => {
    closeCamera();
    leaveIfAway.disconnect();
    document.removeEventListener("visibilitychange", leaveIfHidden);
    model.off("msg:custom", showAnswer);
  };
}

export default { render };
