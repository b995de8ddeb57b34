#!/usr/bin/env python3
"""Measures packed model folders in PyTorch, independently of the program: deno task pack --accuracy takes its JSON.

    check.py --models models --val val1000.npz --json out/accuracy.json [--sheet out/check.png]

--val holds images (uint8, n x 64 x 64 x 3, RGB) and labels (ILSVRC units). The sheet's rows: the first ten images, what
G makes of their codes, and ten searches by the paper's rule.
"""
import argparse
import json
import struct

import numpy as np
import torch
import torch.nn.functional as F

DTYPES = dict(F32=np.float32, F16=np.float16, I8=np.int8)


def read_tensors(path):
    """safetensors -> float32 tensors; I8 times the scale of its row."""
    with open(path, 'rb') as file:
        raw = file.read()
    start = 8 + struct.unpack('<Q', raw[:8])[0]
    stored = {}
    for name, entry in json.loads(raw[8:start]).items():
        begin, end = (start + offset for offset in entry['data_offsets'])
        values = np.frombuffer(raw[begin:end], DTYPES[entry['dtype']]).reshape(entry['shape'])
        stored[name] = torch.from_numpy(values.astype(np.float32))
    return {name: value * stored[name + '.scale'][:, None] if name + '.scale' in stored else value
            for name, value in stored.items()}


class Net:
    """A model folder's network as network.json describes it; calling it returns all blobs by name."""

    def __init__(self, folder):
        with open(folder + '/network.json') as file:
            self.net = json.load(file)
        self.tensors = read_tensors(folder + '/weights.safetensors')
        self.last = self.net['layers'][-1]['name']

    def __call__(self, x):
        blobs = {self.net['inputs'][0]['name']: x}
        for layer in self.net['layers']:
            blobs[layer.get('output', layer['name'])] = self.apply(layer, blobs[layer['input']])
        return blobs

    def apply(self, layer, x):
        kind, stride, padding = layer['type'], layer.get('stride', 1), layer.get('padding', 0)
        weight, bias = (self.tensors.get(f'{layer["name"]}.{part}') for part in ('weight', 'bias'))
        if kind == 'conv2d':
            return F.conv2d(x, weight, bias, stride, padding)
        if kind == 'deconv2d':
            return F.conv_transpose2d(x, weight, bias, stride, padding)
        if kind == 'fc':
            return F.linear(x.flatten(1), weight, bias)
        if kind == 'relu':
            return F.leaky_relu(x, layer.get('slope', 0))
        if kind == 'maxpool':
            return F.max_pool2d(x, layer['kernel'], stride, padding, ceil_mode=True)
        if kind == 'reshape':
            return x.reshape(len(x), *layer['shape'])
        raise ValueError(f'{layer["name"]}: no layer of type {kind} is known here')


def validate(phi, g, x, y):
    """Accuracy on the images, and how well G gives them back from their codes."""
    order, pixel, kept = [], 0., 0
    with torch.no_grad():
        for i in torch.arange(len(x)).split(100):
            blobs = phi(x[i])
            order.append(blobs[phi.last].topk(5).indices)
            image = g(blobs[g.net['code']['layer']])[g.last]
            pixel += (image - x[i]).abs().mean().item() * len(i)
            kept += (phi(image)[phi.last].argmax(1) == y[i]).sum().item()
    hits = torch.cat(order) == y[:, None]
    return dict(pictures=len(x), top1=hits[:, 0].float().mean().item(), top5=hits.any(1).float().mean().item(),
                reconstruction=dict(pixel=pixel / len(x), top1=kept / len(x)))


def search(phi, g, units, iterations, seed):
    """The paper's rule for every unit at once; returns the last pictures and their logits."""
    rows = torch.arange(len(units))
    bound = g.tensors['code.mean'] + g.net['code']['sigmas'] * g.tensors['code.std']
    code = torch.randn(len(units), len(bound), generator=torch.Generator().manual_seed(seed))
    for i in range(iterations):
        rate = 8 + (1e-10 - 8) * i / iterations
        code.requires_grad_(True)
        image = g(code)[g.last]
        logits = phi(image)[phi.last]
        gradient, = torch.autograd.grad(logits[rows, units].sum(), code)
        size = gradient.abs().mean(1, keepdim=True)
        step = torch.where(size > 0, rate * gradient / size, torch.zeros(()))
        code = torch.minimum((code.detach() + step).clamp(min=0), bound) * .99
    return image.detach(), logits.detach()


def save_sheet(path, rows):
    from PIL import Image
    lines = [np.concatenate([to_pixels(image) for image in row], 1) for row in rows]
    sheet = Image.fromarray(np.concatenate(lines))
    sheet.resize((sheet.width * 2, sheet.height * 2), Image.NEAREST).save(path)


def to_pixels(image):
    return ((image.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--models', default='models', help='holds the folders caffenet64 and deepsim64')
    p.add_argument('--val', required=True, help='.npz of images and labels')
    p.add_argument('--json', required=True, help='where the figures go')
    p.add_argument('--sheet', help='PNG of reconstructions and searches')
    p.add_argument('--units', default='945,779,1,470,951,928,437,323,817,988')
    p.add_argument('--iterations', type=int, default=200)
    p.add_argument('--seed', type=int, default=0)
    o = p.parse_args()
    phi, g = Net(o.models + '/caffenet64'), Net(o.models + '/deepsim64')
    val = np.load(o.val)
    x = torch.from_numpy(val['images']).permute(0, 3, 1, 2).float().div(127.5).sub(1)
    y = torch.from_numpy(val['labels'].astype(np.int64))
    units = torch.tensor([int(unit) for unit in o.units.split(',')])

    figures = dict(by=f'PyTorch {torch.__version__} in float32', **validate(phi, g, x, y))
    pictures, logits = search(phi, g, units, o.iterations, o.seed)
    runs = [dict(unit=u.item(), activation=row[u].item(), top1=row.argmax().item()) for u, row in zip(units, logits)]
    figures['search'] = dict(iterations=o.iterations, seed=o.seed, runs=runs)
    text = json.dumps(figures, indent=2)
    print(text)
    with open(o.json, 'w') as file:
        file.write(text + '\n')
    if o.sheet:
        with torch.no_grad():
            images = x[:len(units)]
            save_sheet(o.sheet, [images, g(phi(images)[g.net['code']['layer']])[g.last], pictures])


if __name__ == '__main__':
    main()
