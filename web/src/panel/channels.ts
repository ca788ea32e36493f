import { byId } from "./element.js";

/** Which channels there are, as far as the server tells; the form takes any other name as well. */
export async function listChannels(token: string | undefined): Promise<string[]> {
  const headers: HeadersInit = token ? { authorization: `Bearer ${token}` } : {};
  const response = await fetch(new URL("api/channels", document.baseURI), { headers });
  const said = (await response.json()) as { channels?: string[] };
  return said.channels ?? [];
}

/** The form that names a channel. */
export function bindChannels(chosen: (channel: string) => void): { show: (channel: string) => void; offer: (channels: string[]) => void } {
  const input = byId<HTMLInputElement>("channel");
  let shown = "";
  byId<HTMLFormElement>("channel-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const channel = input.value.trim();
    if (channel) chosen((shown = channel));
  });
  // A name that was picked from the list is meant at once.
  input.addEventListener("change", () => {
    const channel = input.value.trim();
    const offered = [...byId<HTMLDataListElement>("channels").options].some(({ value }) => value === channel);
    if (offered && channel !== shown) chosen((shown = channel));
  });
  return {
    show: (channel) => (input.value = shown = channel),
    offer: (channels) => byId("channels").replaceChildren(...channels.map((channel) => new Option(channel, channel))),
  };
}
