#!/usr/bin/python3
"""One GLOM settling step in PyTorch: the yardstick for `glom bench`.

    apt-get install python3-torch python3-numpy libopenblas0-openmp

For each level l, upwards (x' the state before the step, x the new one):

    bu  = unit(BU_l(x_{l-1}))            level 0: unit(evidence)
    td  = unit(TD_l([x'_{l+1}, pos]))    absent at the top level
    att = softmax(beta_l bu x'_l^T - |i-j|^2 / (2 sigma_l^2)) x'_l
    x_l = unit(w_bu bu + w_td td + w_prev x'_l + w_att att)

BU is y + W2 gelu(W1 y + b1) + b2, TD the same with the Fourier code of the
location appended to W1's input only. gelu is the tanh form. Attention is dense,
and all arithmetic is float32.

Without --out it serves timings: one request per line on stdin, one line of
JSON per answer on stdout, so that the caller can take turns with it.

    step K     run K steps           {"steps": K, "seconds": S}
    sgemm N    one N x N product     {"n": N, "seconds": S, "gflops": G}
    quit

With --out it takes --steps steps from --state and writes the new state. The
state file is little-endian float32: x_0 ... x_{L-1}, then the evidence, each
(N, D) row-major; the output file holds x_0 ... x_{L-1}.
"""

import argparse
import json
import math
import os
import re
import sys
import time

THREADS = 2

# Both are read when the libraries load, so they come before the import.
os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
os.environ.setdefault("OPENBLAS_NUM_THREADS", str(THREADS))

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError as e:
    sys.exit(f"settle_torch.py: {e}: install Debian's packages python3-torch, python3-numpy and "
             "libopenblas0-openmp, and run with /usr/bin/python3")


def load_safetensors(path):
    """Return (tensors, metadata) of a float32 safetensors file."""
    with open(path, "rb") as f:
        size = int.from_bytes(f.read(8), "little")
        header = json.loads(f.read(size))
        data = f.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, t in header.items():
        if t["dtype"] != "F32":
            raise ValueError(f"{path}: tensor {name} is {t['dtype']}, want F32")
        lo, hi = t["data_offsets"]
        tensors[name] = torch.from_numpy(np.frombuffer(data[lo:hi], "<f4").reshape(t["shape"]).copy())
    return tensors, metadata


def random_weights(levels, dim, hidden, pos):
    """Weights of the right shapes; the time of a step does not depend on their values."""
    g = torch.Generator().manual_seed(1)
    w = {"mix": torch.zeros(levels, 4)}
    for name, ls, inputs in (("bu", range(1, levels), dim), ("td", range(levels - 1), dim + pos)):
        for l in ls:
            w[f"{name}.{l}.w1"] = torch.randn(hidden, inputs, generator=g) / math.sqrt(inputs)
            w[f"{name}.{l}.b1"] = torch.zeros(hidden)
            w[f"{name}.{l}.w2"] = torch.randn(dim, hidden, generator=g) / math.sqrt(hidden)
            w[f"{name}.{l}.b2"] = torch.zeros(dim)
    return w


def fourier(rows, cols, octaves):
    """The code of every location, (N, 4 octaves): sin u, cos u, sin v, cos v per octave."""
    u = ((torch.arange(cols, dtype=torch.float64) + 0.5) / cols).repeat(rows)
    v = ((torch.arange(rows, dtype=torch.float64) + 0.5) / rows).repeat_interleave(cols)
    code = []
    for k in range(octaves):
        a = 2.0 ** k * math.pi
        code += [torch.sin(a * u), torch.cos(a * u), torch.sin(a * v), torch.cos(a * v)]
    return torch.stack(code, 1).float()


def gaussian_bias(rows, cols, sigma):
    """-|i-j|^2 / (2 sigma^2) for every pair of locations, (N, N)."""
    r = torch.arange(rows, dtype=torch.float64).repeat_interleave(cols)
    c = torch.arange(cols, dtype=torch.float64).repeat(rows)
    d2 = (r[:, None] - r) ** 2 + (c[:, None] - c) ** 2
    return (d2 / (-2 * sigma * sigma)).float()


def gelu_(h):
    """gelu in its tanh form, over h: y (1 + tanh(z)) / 2 is y sigmoid(2z), which torch computes
    in half the time of F.gelu(h, approximate="tanh"). The two differ by less than 1e-6."""
    c = math.sqrt(8 / math.pi)
    t = h * h
    return h.mul_(t.mul_(0.044715 * c).add_(c).mul_(h).sigmoid_())


class Settle:
    def __init__(self, w, beta, sigma, rows, cols):
        self.levels = w["mix"].shape[0]
        self.dim = w["bu.1.w2"].shape[0]
        if len(beta) != self.levels or len(sigma) != self.levels:
            raise ValueError(f"want {self.levels} values of beta and sigma, got {len(beta)} and {len(sigma)}")
        top = self.levels - 1
        n, d = rows * cols, self.dim
        self.beta = beta
        self.bias = [gaussian_bias(rows, cols, s) for s in sigma]
        # Weights are kept transposed, (in, out), as addmm wants them.
        self.bu = [None] + [
            (w[f"bu.{l}.b1"], w[f"bu.{l}.w1"].t().contiguous(), w[f"bu.{l}.b2"], w[f"bu.{l}.w2"].t().contiguous())
            for l in range(1, self.levels)]
        # TD reads only the state before the step, so its levels form one batch.
        # The part of W1 that sees the location is the same for every step.
        w1 = torch.stack([w[f"td.{l}.w1"] for l in range(top)])                  # (L-1, H, D+P)
        pos = fourier(rows, cols, (w1.shape[2] - d) // 4)                        # (N, P)
        b1 = torch.stack([w[f"td.{l}.b1"] for l in range(top)])                  # (L-1, H)
        self.td_b1 = pos @ w1[:, :, d:].transpose(1, 2) + b1[:, None]            # (L-1, N, H)
        self.td_w1 = w1[:, :, :d].transpose(1, 2).contiguous()                   # (L-1, D, H)
        self.td_b2 = torch.stack([w[f"td.{l}.b2"] for l in range(top)])[:, None] # (L-1, 1, D)
        self.td_w2 = torch.stack([w[f"td.{l}.w2"] for l in range(top)]).transpose(1, 2).contiguous()
        mix = w["mix"].clone()
        mix[top, 1] = -math.inf
        self.mix = torch.softmax(mix, 1).tolist()
        self.scores = torch.empty(n, n)
        self.att = torch.empty(n, d)

    def step(self, x, evidence):
        """Return the state (L, N, D) after one step in sweep order, query bu.

        evidence is (N, D), unit vectors."""
        h = gelu_(torch.baddbmm(self.td_b1, x[1:], self.td_w1))
        td = F.normalize(torch.baddbmm(self.td_b2, h, self.td_w2).add_(x[1:]), dim=2)
        new = torch.empty_like(x)
        for l in range(self.levels):
            bu = evidence
            if l > 0:
                below = new[l - 1]
                b1, w1, b2, w2 = self.bu[l]
                h = gelu_(torch.addmm(b1, below, w1))
                bu = F.normalize(torch.addmm(b2, h, w2).add_(below), dim=1)
            torch.addmm(self.bias[l], bu, x[l].t(), alpha=self.beta[l], out=self.scores)
            torch.mm(torch.softmax(self.scores, 1), x[l], out=self.att)
            w_bu, w_td, w_prev, w_att = self.mix[l]
            y = (bu * w_bu).add_(x[l], alpha=w_prev).add_(self.att, alpha=w_att)
            if l < self.levels - 1:
                y.add_(td[l], alpha=w_td)
            F.normalize(y, dim=1, out=new[l])
        return new


def blas_in_use():
    """Name the BLAS that torch loaded: Debian's choice decides its speed."""
    with open("/proc/self/maps") as f:
        libs = {os.path.basename(m) for m in re.findall(r"/\S*(?:blas|mkl)\S*\.so\S*", f.read())}
    libs = {lib for lib in libs if lib.startswith(("libopenblas", "libmkl", "libblis"))}
    return " ".join(sorted(libs)) or "reference BLAS (install libopenblas0-openmp)"


def serve(model, x, evidence):
    def answer(**kv):
        print(json.dumps(kv), flush=True)

    for _ in range(5):
        model.step(x, evidence)
    answer(ready=True, torch=torch.__version__, threads=torch.get_num_threads(), blas=blas_in_use())
    for line in sys.stdin:
        match line.split():
            case ["step", k] if k.isdigit():
                start = time.perf_counter()
                for _ in range(int(k)):
                    x = model.step(x, evidence)
                answer(steps=int(k), seconds=time.perf_counter() - start)
            case ["sgemm", n] if n.isdigit() and int(n) > 0:
                n = int(n)
                a, b, c = torch.randn(n, n), torch.randn(n, n), torch.empty(n, n)
                torch.mm(a, b, out=c)
                start = time.perf_counter()
                torch.mm(a, b, out=c)
                s = time.perf_counter() - start
                answer(n=n, seconds=s, gflops=2 * n ** 3 / s / 1e9)
            case ["quit"]:
                return
            case []:
                pass
            case _:
                answer(error=f"unknown request {line.strip()!r}: want step K, sgemm N or quit")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", type=int, default=30)
    p.add_argument("--cols", type=int, default=30)
    p.add_argument("--weights", help="safetensors with the config as JSON in its metadata (default: random weights)")
    p.add_argument("--state", help="state and evidence to start from (default: random)")
    p.add_argument("--out", help="write the state after --steps steps here and stop")
    p.add_argument("--steps", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(THREADS)
    torch.set_flush_denormal(True)

    if a.weights:
        w, metadata = load_safetensors(a.weights)
        config = {k.lower(): v for k, v in json.loads(metadata["config"]).items()}
        beta, sigma = config["beta"], config["sigma"]
    else:
        w = random_weights(levels=5, dim=64, hidden=256, pos=24)
        beta, sigma = [20.0] * 5, [1.5, 3.0, 6.0, 12.0, 24.0]
    model = Settle(w, beta, sigma, a.rows, a.cols)

    shape = (model.levels + 1, a.rows * a.cols, model.dim)
    if a.state:
        x = torch.from_numpy(np.fromfile(a.state, "<f4").reshape(shape))
    else:
        x = F.normalize(torch.randn(shape, generator=torch.Generator().manual_seed(2)), dim=2)
    x, evidence = x[:-1].contiguous(), F.normalize(x[-1], dim=1)
    if a.out:
        for _ in range(a.steps):
            x = model.step(x, evidence)
        x.numpy().astype("<f4").tofile(a.out)
        return
    serve(model, x, evidence)


if __name__ == "__main__":
    with torch.no_grad():
        main()
