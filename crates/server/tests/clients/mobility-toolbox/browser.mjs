// What a browser has and Node 18 has not, as far as the client uses it.

import { AssertionError } from 'node:assert';

import WebSocket from 'ws';

/** Makes this process enough of a browser; `report` is told every frame and every change of a connection. */
export function beBrowser(report) {
    globalThis.window = globalThis;
    globalThis.WebSocket = class extends WebSocket {
        #guarded = new Map();

        constructor(url) {
            super(url);
            this.setMaxListeners(0);
            this.addEventListener('open', () => report({ event: 'opened' }));
            this.addEventListener('message', ({ data }) => report({ event: 'received', frame: data }));
            this.addEventListener('close', ({ code }) => report({ event: 'closed', code }));
            // In a browser an error of the connection that nobody listens to is none; here it ends the process.
            this.addEventListener('error', () => {});
        }

        send(frame) {
            report({ event: 'sent', frame });
            super.send(frame);
        }

        // In a browser a listener that throws leaves a line on the console, and the other listeners are called.
        addEventListener(type, listener) {
            if (!this.#guarded.has(listener)) {
                this.#guarded.set(listener, (event) => {
                    try {
                        listener(event);
                    } catch (error) {
                        if (error instanceof AssertionError) {
                            throw error;
                        }
                        report({ event: 'error', message: String(error) });
                    }
                });
            }
            super.addEventListener(type, this.#guarded.get(listener));
        }

        removeEventListener(type, listener) {
            super.removeEventListener(type, this.#guarded.get(listener) ?? listener);
        }
    };
}
