/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows the screen by noVNC, with a line on what it is and how fast it changes.
 *
 * In the address: ?quality=0 to 9 chooses how good moving pictures are, ?quality=lossless asks for
 * none but exact pixels; ?view-only sends no input.
 */
import RFB from "./novnc/core/rfb.js";

const at = id => document.getElementById(id);
const query = new URLSearchParams(location.search);
const RETRY_SECONDS = [1, 2, 5, 10, 30];
const QUALITY_FIRST = -32; /* pseudo-encodings: quality 0 to 9 of JPEG */
const QUALITY_LAST = -23;

let rfb = null;
let retries = 0;
let retryTimer = null;
let refusal = null;
let credentials = null;
const counts = { updates: 0, bytes: 0 };

if (query.get("quality") === "lossless") {
  const send = RFB.messages.clientEncodings;
  RFB.messages.clientEncodings = (sock, encodings) => send.call(
    RFB.messages, sock, encodings.filter(e => e < QUALITY_FIRST || e > QUALITY_LAST));
}

function show(state, message) {
  document.body.dataset.state = state;
  at("message").textContent = message;
  at("login").hidden = state !== "login";
  at("again").hidden = state !== "closed";
}

/* The socket is ours, so that what it brings can be counted. */
function openSocket() {
  const url = new URL("websockify", location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  url.search = "";
  const socket = new WebSocket(url, ["binary"]);
  socket.addEventListener("message", event => { counts.bytes += event.data.byteLength; });
  return socket;
}

/* noVNC tells nobody that an update is complete, but for what this method returns. */
function countUpdates(client) {
  const update = client._framebufferUpdate;
  if (typeof update !== "function") return;
  client._framebufferUpdate = function counted(...args) {
    const complete = update.apply(this, args);
    if (complete) counts.updates++;
    return complete;
  };
}

function connect() {
  clearTimeout(retryTimer);
  refusal = null;
  show("connecting", "Connecting …");
  at("screen").replaceChildren();
  const client = new RFB(at("screen"), openSocket(), { credentials: credentials || {} });
  rfb = client;
  client.background = "transparent";
  client.scaleViewport = true;
  client.viewOnly = query.has("view-only");
  const quality = Number(query.get("quality"));
  if (query.has("quality") && Number.isInteger(quality)) client.qualityLevel = quality;
  countUpdates(client);
  client.addEventListener("connect", () => {
    retries = 0;
    show("connected", "");
    client.focus();
  });
  client.addEventListener("desktopname", event => {
    at("name").textContent = event.detail.name;
    document.title = `${event.detail.name} – planecast`;
  });
  client.addEventListener("credentialsrequired", event => {
    const named = event.detail.types.includes("username");
    at("username-row").hidden = !named;
    show("login", `This screen asks for ${named ? "a name and a password" : "a password"}`);
    at("password").value = "";
    at(named ? "username" : "password").focus();
  });
  client.addEventListener("securityfailure", event => {
    credentials = null;
    refusal = event.detail.reason || "The password was not accepted";
  });
  client.addEventListener("disconnect", () => {
    if (rfb === client) disconnected();
  });
}

/* A refusal is for the user to answer; anything else is tried again, ever more rarely. */
function disconnected() {
  const waiting = document.body.dataset.state === "login";
  rfb = null;
  at("rate").textContent = "";
  if (refusal || waiting) {
    show("closed", refusal || "The server stopped waiting for a password");
    return;
  }
  const seconds = RETRY_SECONDS[Math.min(retries++, RETRY_SECONDS.length - 1)];
  show("closed", `No connection. Trying again in ${seconds} s …`);
  retryTimer = setTimeout(connect, seconds * 1000);
}

function showResolution() {
  const canvas = at("screen").querySelector("canvas");
  at("resolution").textContent = canvas && canvas.width ? `${canvas.width} × ${canvas.height}` : "";
}

function formatBytes(bytes) {
  if (bytes < 1e3) return `${Math.round(bytes)} B/s`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB/s` : `${(bytes / 1e6).toFixed(1)} MB/s`;
}

let last = performance.now();

function showRate() {
  const now = performance.now();
  const seconds = (now - last) / 1000;
  last = now;
  if (rfb && document.body.dataset.state === "connected") {
    const updates = Math.round(counts.updates / seconds);
    at("rate").textContent = `${updates} updates/s · ${formatBytes(counts.bytes / seconds)}`;
  }
  counts.updates = counts.bytes = 0;
}

at("login").addEventListener("submit", event => {
  event.preventDefault();
  credentials = { username: at("username").value, password: at("password").value };
  show("connecting", "Connecting …");
  rfb.sendCredentials(credentials);
});
at("again").addEventListener("click", connect);
at("fullscreen").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen();
});
new MutationObserver(showResolution).observe(at("screen"), {
  attributes: true, attributeFilter: ["width", "height"], childList: true, subtree: true,
});
setInterval(showRate, 1000);
connect();
