import type { Client } from "geocast-client";
import { byId, say } from "./element.js";

/** How things are with the connection, and when it is tried again. */
export function bindConnection(client: Client): void {
  const [pill, text] = [byId<HTMLButtonElement>("connection"), byId("connection-text")];
  let timer: ReturnType<typeof setInterval> | undefined;
  const show = () => {
    clearInterval(timer);
    const { state } = client;
    pill.dataset["status"] = state.status;
    pill.title = "error" in state && state.error ? state.error.message : new URL("rpc", document.baseURI).href.replace(/^http/, "ws");
    if (state.status === "waiting") {
      const until = Date.now() + state.milliseconds;
      const tell = () => say(text, `back in ${Math.max(0, Math.ceil((until - Date.now()) / 1000))} s`);
      tell();
      timer = setInterval(tell, 250);
    } else {
      say(text, { connecting: "connecting", open: "live", closed: "closed" }[state.status]);
    }
  };
  client.on("state", show);
  show();
}
