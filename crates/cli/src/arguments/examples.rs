//! What help says below the options: conditions, examples, exit codes. Lines have at most 80 characters.

pub(super) const EXAMPLES: &str = "\
Examples:
  geocast demo                                    # vehicles that move
  geocast sub vehicles --bbox 5.9,45.8,10.5,47.8  # in another terminal
  geocast serve --redis redis://localhost --channels 'vehicles,news_*'

Exit codes: 0 done; 1 failed; 2 bad option or configuration; 3 nothing there, or
less than --count before --timeout; 4 server or Redis not reached; 130 stopped
by a second signal.";

pub(super) const CONFIGURATION: &str = "\
Every long option is also a key of the --config file (--ping-interval:
ping_interval) and an environment variable (GEOCAST_PING_INTERVAL). A flag wins
over the environment, the environment over the file. An empty variable is as
good as none. --help shows all options.";

pub(super) const SERVE_EXAMPLES: &str = "\
Every long option is also a key of the --config file (--ping-interval:
ping_interval) and an environment variable (GEOCAST_PING_INTERVAL). A flag wins
over the environment, the environment over the file. An empty variable is as
good as none.

Examples:
  geocast serve
  geocast serve --redis redis://localhost --channels 'vehicles,news_*'
  geocast serve --host 0.0.0.0 --channels '*' --publish-key-file key.txt
  geocast serve --config geocast.toml --port 9000

SIGTERM or SIGINT closes the connections in order; a second one ends the process
at once. Exit codes: 0 stopped by a signal; 1 failed, for example because the
port is taken; 2 bad option or configuration; 130 stopped by a second signal.";

pub(super) const CHECK_EXAMPLES: &str = "\
It takes all options of `geocast serve`, and reads environment and file as that
does. Nothing is made or changed by it. While a server runs with the same ports
or data folder, --offline looks at the rest.

Examples:
  geocast check geocast.toml
  geocast check geocast.toml --offline
  geocast check --redis redis://localhost --channels '*'

Exit codes: 0 it can be served; 1 it cannot now, as a port or the data folder is
not to be had, or nobody could read anything; 2 bad option or configuration; 4
Redis not reached.";

pub(super) const DEMO_EXAMPLES: &str = "\
It takes all options of `geocast serve`. Every long option is also a key of the
--config file (--ping-interval: ping_interval) and an environment variable
(GEOCAST_PING_INTERVAL).

Examples:
  geocast demo
  geocast demo --vehicles 2000 --seed 7
  geocast demo --redis redis://localhost

It ends as `geocast serve` does. Exit codes: 0 stopped by a signal; 1 failed; 2
bad option or configuration; 130 stopped by a second signal.";

pub(super) const CONFIG_EXAMPLES: &str = "\
Examples:
  geocast config default | grep -B2 '^#ping_interval'
  geocast config show --config geocast.toml --given

Exit codes: 0 printed; 2 bad option or configuration.";

pub(super) const TOKEN_EXAMPLES: &str = "\
Examples:
  geocast token make --key-file secret.txt --sub 'team_*' > token.txt
  geocast token check --jwt-key-file secret.txt < token.txt

Exit codes: 0 made, printed or accepted; 1 not accepted; 2 bad option, key or
claim.";

pub(super) const DESCRIBE_EXAMPLES: &str = "\
Examples:
  geocast describe openapi > openapi.json
  geocast describe config | jq '.properties | keys'

Exit codes: 0 printed; 2 there is no such description.";

pub(super) const GET_EXAMPLES: &str = "\
Prints one JSON value per line, or indented and coloured on a terminal.

Examples:
  geocast get vehicles --bbox 8.4,47.3,8.7,47.5
  geocast get vehicles rail-1 --projection epsg:3857

Exit codes: 0 printed; 1 failed; 2 bad option; 3 there is nothing, or no answer
in time; 4 server not reached.";

pub(super) const SUB_EXAMPLES: &str = "\
Prints one JSON value per line, or indented and coloured on a terminal. The box
is meant in EPSG:4326 (longitude, latitude) unless --bbox-crs says otherwise;
--projection is for the output.

With --track, each value says what has become of which key:
  {\"change\":\"enter\",\"key\":7,\"feature\":{…}}, also with \"update\"
  {\"change\":\"leave\",\"key\":7,\"reason\":\"moved\"}

Examples:
  geocast sub vehicles --bbox 5.9,45.8,10.5,47.8 --count 5
  geocast sub vehicles --projection epsg:3857 | jq .properties.line
  geocast sub vehicles --bbox 8.4,47.3,8.7,47.5 --track --explain=10s

Exit codes: 0 all of --count came; 1 failed; 2 bad option; 3 fewer than --count,
or nothing, before --timeout; 4 server not reached.";

pub(super) const PROBE_EXAMPLES: &str = "\
Without --url and GEOCAST_URL, it asks 127.0.0.1 at the port in GEOCAST_PORT,
which `geocast serve` listens on.

Examples:
  geocast probe
  geocast probe live --url unix:/run/geocast.sock

Exit codes: 0 it is; 1 it is not, and standard error says why; 2 bad option; 4
server not reached.";

pub(super) const TOP_EXAMPLES: &str = "\
The server has to be started with --operator-token-file. On a terminal, the view
is drawn anew each second, until `q` or Ctrl-C; into a pipe, one table is
printed. Rates are of the last --interval.

Examples:
  geocast top --token-file operator.txt
  geocast top http://127.0.0.1:8765 --token-file operator.txt --once
  geocast top --token-file operator.txt --json | jq .rates.per_second

Exit codes: 0 shown; 1 failed, for example because of another token; 2 bad
option; 4 server not reached.";

pub(super) const DOCTOR_EXAMPLES: &str = "\
Nothing is written. At most --keys N keys are looked at, and some values of each
hash.

Examples:
  geocast doctor redis://localhost
  geocast doctor --config geocast.toml
  geocast doctor redis://localhost --json | jq .serve

Exit codes: 0 nothing to mend; 1 there are warnings or problems; 2 bad option; 4
Redis not reached.";

pub(super) const PUB_EXAMPLES: &str = "\
Examples:
  geocast pub news '\"hello\"'
  geocast pub vehicles --key tram-14 < feature.json

Exit codes: 0 published; 1 refused or failed; 2 bad option; 4 server not
reached.";

pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  geocast completions bash > /etc/bash_completion.d/geocast
  geocast completions zsh > ~/.zfunc/_geocast
  geocast completions fish > ~/.config/fish/completions/geocast.fish

Exit codes: 0 printed; 2 there is no such shell.";

pub(super) const MAN_EXAMPLES: &str = "\
Examples:
  geocast man | man -l -
  geocast man /usr/local/share/man/man1

A folder that is missing is made; standard error says what was written.
Exit codes: 0 printed or written; 1 the folder cannot be written to.";
