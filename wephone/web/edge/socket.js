/**
 * The one file with a WebSocket: frames in, frames out, and how it closed.
 *
 * @typedef {{send: (message: import("../protocol.js").ClientMessage) => void, close: (code: number) => void}} Line
 * @typedef {{frame: (message: import("../protocol.js").ServerMessage) => void, closed: (code: number) => void}} Heard
 */

const SUBPROTOCOL = "wephone.v1";

/**
 * Open a socket to our own server; resolves when frames can be sent, rejects if it never opened.
 *
 * @param {Heard} heard @returns {Promise<Line>}
 */
export function connect(heard) {
  const socket = new WebSocket(address("/api/socket"), SUBPROTOCOL);
  return new Promise((resolve, reject) => {
    let isOpen = false;
    socket.onopen = () => {
      isOpen = true;
      resolve({
        send: (message) => socket.send(JSON.stringify(message, (_, value) => value ?? undefined)),
        close: (code) => socket.close(code),
      });
    };
    socket.onmessage = ({ data }) => heard.frame(JSON.parse(data));
    socket.onclose = ({ code }) => (isOpen ? heard.closed(code) : reject(new Error(`the socket closed with ${code}`)));
  });
}

/**
 * Only hear what our own server says there, until it is closed; calling the result closes it.
 *
 * @param {string} path @param {{frame: (said: any) => void, closed: (code: number) => void}} heard @returns {() => void}
 */
export function overhear(path, heard) {
  const socket = new WebSocket(address(path));
  socket.onmessage = ({ data }) => heard.frame(JSON.parse(data));
  socket.onclose = ({ code }) => heard.closed(code);
  return () => socket.close();
}

/** @param {string} path */
function address(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}
