// The browser client by remote control: one JSON array of steps per line of standard input, carried out without a pause
// between them, and one JSON object per line of standard output for everything that happens.
//
// Steps:
//   {"create": OPTIONS}                            new RealtimeAPI(OPTIONS)
//   {"set": NAME, "to": VALUE}                     api.NAME = VALUE
//   {"call": METHOD, "with": [ARGUMENT…]}          api.METHOD(…); an argument {"callback": NAME} is a function that
//                                                  reports what it is called with, the same one for the same name; null is an
//                                                  argument that is left out
//   {"call": METHOD, "with": […], "as": NAME}      the same for a method that returns a promise
// Reports: opened, closed, sent, received (the frames as they are), called, resolved, rejected.

import assert from 'node:assert/strict';
import { register } from 'node:module';
import { createInterface } from 'node:readline';

import { beBrowser } from './browser.mjs';

const report = (fact) => process.stdout.write(`${JSON.stringify(fact)}\n`);
beBrowser(report);
register('./bundler-resolution.mjs', import.meta.url);
const { RealtimeAPI } = await import('mobility-toolbox-js/api');

let api;
const callbacks = new Map();

function callback(name) {
    if (!callbacks.has(name)) {
        callbacks.set(name, (envelope) => {
            check(envelope);
            report({ event: 'called', callback: name, envelope });
        });
    }
    return callbacks.get(name);
}

/** What the client's users rely on in every envelope that reaches them. */
function check(envelope) {
    assert.deepEqual(Object.keys(envelope), ['source', 'content', 'timestamp', 'client_reference']);
    assert.equal(typeof envelope.source, 'string');
    const age = Date.now() - envelope.timestamp;
    assert.ok(Math.abs(age) < 60_000, `the timestamp ${envelope.timestamp} is ${age} ms away`);
}

function carryOut(step) {
    if (step.create) {
        api = new RealtimeAPI(step.create);
    } else if (step.set) {
        assert.ok(step.set in api, `there is no property ${step.set}`);
        api[step.set] = step.to;
    } else {
        const given = (step.with ?? []).map((value) => (value?.callback ? callback(value.callback) : (value ?? undefined)));
        const returned = api[step.call](...given);
        if (step.as) {
            settle(returned, step.as);
        }
    }
}

async function settle(promise, name) {
    let envelope;
    try {
        envelope = await promise;
    } catch (error) {
        report({ event: 'rejected', promise: name, reason: error.type ?? String(error) });
        return;
    }
    check(envelope);
    report({ event: 'resolved', promise: name, envelope });
}

report({ event: 'ready' });
for await (const line of createInterface({ input: process.stdin })) {
    JSON.parse(line).forEach(carryOut);
}
process.exit();
