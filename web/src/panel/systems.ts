import { SYSTEMS, type System } from "../systems.js";
import { byId, make, say } from "./element.js";

/** The choice of projections. */
export function bindSystems(chosen: (system: System) => void): { show: (system: System) => void } {
  const group = byId("systems");
  const inputs = SYSTEMS.map((system) => {
    const input = make("input", { type: "radio", name: "system", value: system.code });
    input.addEventListener("change", () => chosen(system));
    group.append(make("label", { title: system.title }, input, make("span", {}, system.name)));
    return input;
  });
  return {
    show(system) {
      for (const input of inputs) input.checked = input.value === system.code;
      say(byId("projection-code"), system.code);
      say(byId("projection-note"), `${system.title}. Reprojected by the server.`);
    },
  };
}
