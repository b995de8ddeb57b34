#!/usr/bin/env python3
"""Trains the embedded pair: the classifier and encoder caffenet64 (phi), and the generator deepsim64 (g).

    train.py --data DIR [--data DIR ...] --out OUT --phi-minutes 10 --g-minutes 15 [--resume | --start PAIR]

phi: AlexNet's family at 64x64, cross-entropy over the ILSVRC units that occur among the labels (200 of 1000).
g:   inverts phi's fc6 as in Dosovitskiy & Brox 2016: pixel, deep feature and adversarial losses; the exported
     weights are the running average of the trained ones.

With CUDA everything lives on the GPU; otherwise two CPU threads. Both run in bfloat16 autocast. README.md beside
this file says what DIR must hold and what OUT gets.
"""
import argparse
import glob
import io
import math
import os
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from networks import D, G, Phi

BOUND = 11.85  # mean over units of mean + 3 sigma of CaffeNet's fc6: the paper's step sizes suit codes of this scale
UNTRAINED = -1e4  # added to the logits of units without images
FEATURE_WEIGHTS = dict(conv2=1., conv3=1., conv5=2., fc6=1.)
PART_BYTES = 15 << 20
CHANNELS_LAST = dict(memory_format=torch.channels_last)


# ---- data ----

def decode(jpegs):
    from PIL import Image
    return [np.asarray(Image.open(io.BytesIO(b)).convert('RGB'), np.uint8) for b in jpegs]


def load(dirs, workers):
    """All shards of all directories: images uint8 (n, 3, 64, 64) and labels int64 (n)."""
    images, labels = [], []
    for path in sorted(p for d in dirs for p in glob.glob(d + '/tinyimagenet_*.jpegs')):
        index = np.load(path.replace('.jpegs', '.index.npz'))
        with open(path, 'rb') as file:
            raw = file.read()
        offsets = index['offsets']
        jpegs = [raw[offsets[i]:offsets[i + 1]] for i in range(len(offsets) - 1)]
        chunks = [jpegs[i:i + 500] for i in range(0, len(jpegs), 500)]
        with ProcessPoolExecutor(workers) as executor:
            for part in executor.map(decode, chunks):
                images += part
        labels.append(index['labels'].astype(np.int64))
    x = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()
    return x, torch.from_numpy(np.concatenate(labels))


def to_input(x):
    """uint8 -> [-1, 1]: what network.json says as mean 127.5, scale 1/127.5."""
    return x.float().div(127.5).sub(1)


def augment(x, pad):
    """uint8 NCHW -> [-1, 1], with a random shift of up to pad pixels and a random flip for each image."""
    n, dev = x.shape[0], x.device
    x = F.pad(to_input(x), (pad,) * 4, mode='reflect')
    dy, dx = torch.randint(0, 2 * pad + 1, (2, n, 1, 1, 1), device=dev)
    flip = torch.rand(n, 1, 1, 1, device=dev) < .5
    r = torch.arange(64, device=dev)
    rows = (r.view(1, 1, 64, 1) + dy).expand(n, 3, 64, x.shape[3])
    columns = torch.where(flip, 63 - r.view(1, 1, 1, 64), r.view(1, 1, 1, 64)) + dx
    return x.gather(2, rows).gather(3, columns.expand(n, 3, 64, 64)).contiguous(**CHANNELS_LAST)


# ---- training: both loops run for a given time, not for a given number of steps ----

def cosine(frac, warm=.1):
    return frac / warm if frac < warm else .5 * (1 + math.cos(math.pi * (frac - warm) / (1 - warm)))


def set_rate(optimizer, rate):
    for group in optimizer.param_groups:
        group['lr'] = rate


def train_phi(phi, x, y, minutes, batch, lr, dev, out):
    trained = torch.unique(y)
    mask = torch.full((1000,), UNTRAINED, device=dev)
    mask[trained] = 0
    with torch.no_grad():  # untrained rows of fc8 start at zero and, their logits masked, stay there
        untrained = torch.ones(1000, dtype=torch.bool)
        untrained[trained.cpu()] = False
        phi.fc8.weight[untrained] = 0
        phi.fc8.bias[untrained] = 0
    matrices = [p for p in phi.parameters() if p.ndim > 1]
    vectors = [p for p in phi.parameters() if p.ndim < 2]
    groups = [dict(params=matrices, weight_decay=.01), dict(params=vectors, weight_decay=0)]
    optimizer = torch.optim.AdamW(groups, lr=lr)
    start, step, hits, seen = time.time(), 0, 0, 0
    phi.train()
    while (frac := (time.time() - start) / (60 * minutes)) < 1:
        set_rate(optimizer, lr * max(1e-3, cosine(frac)))
        i = torch.randint(0, len(x), (batch,))
        xb, yb = augment(x[i.to(x.device)].to(dev), 6), y[i].to(dev)
        with torch.autocast(dev.type, dtype=torch.bfloat16):
            logits = phi(xb, .4)['fc8']
        loss = F.cross_entropy(logits.float() + mask, yb)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(phi.parameters(), 5.)
        optimizer.step()
        step += 1
        hits += (logits.argmax(1) == yb).sum()
        seen += batch
        if step % 200 == 0:
            seconds = time.time() - start
            print(f'phi step {step} {seconds:.0f}s train top-1 {hits.item() / seen:.3f} '
                  f'{step * batch / seconds:.0f} img/s', flush=True)
            hits = seen = 0
    torch.save(phi.state_dict(), out + '/phi.pt')


def follow(average, model, decay):
    """The running average of the weights; counters are copied."""
    for p, q in zip(average.state_dict().values(), model.state_dict().values()):
        p.lerp_(q, 1 - decay) if p.dtype.is_floating_point else p.copy_(q)


def train_g(phi, g, d, average, x, minutes, batch, lr, adversarial, dev, out, code_scale):
    phi.eval().requires_grad_(False)
    opt_g = torch.optim.Adam(g.parameters(), lr, (.5, .99))
    opt_d = torch.optim.Adam(d.parameters(), lr, (.5, .99))

    def save():
        torch.save(dict(g=g.state_dict(), d=d.state_dict(), ema=average.state_dict()), out + '/g.pt')

    start = saved = time.time()
    step, sums = 0, {}
    while (frac := (time.time() - start) / (60 * minutes)) < 1:
        for optimizer in (opt_g, opt_d):
            set_rate(optimizer, lr * (1 if frac < .6 else max(.05, (1 - frac) / .4)))
        real = augment(x[torch.randint(0, len(x), (batch,)).to(x.device)].to(dev), 3)

        with torch.autocast(dev.type, dtype=torch.bfloat16):
            with torch.no_grad():
                wanted = phi(real)
                code = wanted['fc6'].float()
                wanted = {k: wanted[k].float() for k in FEATURE_WEIGHTS}
            fake = g(code).float().contiguous(**CHANNELS_LAST)
            scaled = code * code_scale
            on_real, on_fake = d(real, scaled).float(), d(fake.detach(), scaled).float()
        loss_d = F.relu(1 - on_real).mean() + F.relu(1 + on_fake).mean()
        opt_d.zero_grad(set_to_none=True)
        loss_d.backward()
        opt_d.step()

        with torch.autocast(dev.type, dtype=torch.bfloat16):
            got = phi(fake)
            fooling = -d(fake, scaled).float().mean()
        feature = sum(w * ((got[k].float() - wanted[k]) ** 2).mean() / ((wanted[k] ** 2).mean() + 1e-6)
                      for k, w in FEATURE_WEIGHTS.items())
        pixel = (fake - real).abs().mean()
        loss = feature + 2 * pixel + adversarial * fooling + .1 * F.relu(fake.abs() - 1).mean()
        opt_g.zero_grad(set_to_none=True)
        loss.backward()
        opt_g.step()
        step += 1

        with torch.no_grad():
            follow(average, g, min(.999, (1 + step) / (10 + step)))
        for k, v in dict(feat=feature, pix=pixel, d=loss_d, adv=fooling).items():
            sums[k] = sums.get(k, 0) + v.detach()
        if step % 200 == 0:
            seconds = time.time() - start
            print(f'g step {step} {seconds:.0f}s', {k: round(v.item() / 200, 3) for k, v in sums.items()},
                  f'{step * batch / seconds:.0f} img/s', flush=True)
            sums = {}
        if time.time() - saved > 60:
            save()
            saved = time.time()
    save()


def code_statistics(phi, x, dev):
    """Mean and standard deviation of every fc6 unit over 10,000 training images, not augmented."""
    codes = []
    with torch.no_grad(), torch.autocast(dev.type, dtype=torch.bfloat16):
        for i in torch.randperm(len(x))[:10000].split(250):
            codes.append(phi(to_input(x[i.to(x.device)].to(dev)).contiguous(**CHANNELS_LAST))['fc6'].float())
    codes = torch.cat(codes)
    return codes.mean(0), codes.std(0)


# ---- export ----

def fold(block):
    """A convolution and the batch norm behind it as one convolution's weight and bias."""
    layer, norm = block[0], block[1]
    k = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight = layer.weight * (k.view(1, -1, 1, 1) if layer.transposed else k.view(-1, 1, 1, 1))
    return weight, norm.bias - norm.running_mean * k


def collect(net, names):
    arrays = {}
    for name in names:
        layer = getattr(net, name)
        weight, bias = fold(layer) if isinstance(layer, nn.Sequential) else (layer.weight, layer.bias)
        arrays[name + '.weight'] = weight.detach().float().cpu().numpy()
        arrays[name + '.bias'] = bias.detach().float().cpu().numpy()
    return arrays


def save_parts(path, arrays):
    """The same in float16, in parts of under 15 MiB, for machines that return small files only."""
    part, size, n = {}, 0, 0
    for k, v in arrays.items():
        if part and size + v.size * 2 > PART_BYTES:
            np.savez(f'{path}.f16.{n}.npz', **part)
            part, size, n = {}, 0, n + 1
        part[k] = v.astype(np.float16)
        size += v.size * 2
    np.savez(f'{path}.f16.{n}.npz', **part)


def export(phi, g, mean, std, out):
    """Folds batch norm away and rescales fc6 (exact: ReLU is homogeneous) so that the paper's numbers apply."""
    k = BOUND / float((mean + 3 * std).mean())
    np.savez(out + '/code_stats.npz', mean=mean * k, std=std * k)
    with torch.no_grad():
        phi.fc6.weight *= k
        phi.fc6.bias *= k
        phi.fc7.weight /= k
        g.defc7.weight /= k
    pair = dict(
        caffenet64=collect(phi, 'conv1 conv2 conv3 conv4 conv5 fc6 fc7 fc8'.split()),
        deepsim64=collect(g, 'defc7 defc6 defc5 deconv5 conv5_1 deconv4 conv4_1 deconv3 deconv2 conv0'.split()))
    for name, arrays in pair.items():
        np.savez(f'{out}/{name}.npz', **arrays)
        save_parts(f'{out}/{name}', arrays)


def load_folded(net, arrays, inputs):
    """The inverse of collect: arrays of an exported network -> net. Behind each convolution the batch norm
    gets the statistics of what `inputs` make there, and the scale and shift that undo them."""
    arrays = {k: torch.from_numpy(v.astype(np.float32)) for k, v in arrays.items()}
    net.eval()  # until the statistics are in
    for name, layer in net.named_children():
        if name + '.weight' not in arrays:
            continue
        weight, bias = arrays[name + '.weight'], arrays[name + '.bias']
        with torch.no_grad():
            if not isinstance(layer, nn.Sequential):
                layer.weight.copy_(weight)
                layer.bias.copy_(bias)
                continue
            layer[0].weight.copy_(weight)
            layer[1].bias.copy_(bias)
            layer[1].weight.fill_(math.sqrt(1 + layer[1].eps))
    seen = {}
    hooks = [m.register_forward_pre_hook(lambda norm, x: seen.update({norm: x[0]}))
             for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    with torch.no_grad():
        net(inputs)
        for norm, x in seen.items():
            mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3))
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            norm.weight.copy_(torch.sqrt(variance + norm.eps))
            norm.bias.add_(mean)
    for hook in hooks:
        hook.remove()
    net.train()


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--data', action='append', required=True, help='directory of shards; may be repeated')
    p.add_argument('--out', required=True, help='directory for checkpoints and results')
    p.add_argument('--phi-minutes', type=float, default=10)
    p.add_argument('--g-minutes', type=float, default=15)
    p.add_argument('--phi-lr', type=float, default=2e-3)
    p.add_argument('--g-lr', type=float, default=4e-4)
    p.add_argument('--adv', type=float, default=.05, help='weight of the adversarial loss')
    p.add_argument('--batch', type=int, help='default: 512 on a GPU, 64 on a CPU')
    p.add_argument('--resume', action='store_true', help="go on from OUT's checkpoints")
    p.add_argument('--start', metavar='PAIR', help='begin with the exported pair (caffenet64.npz, deepsim64.npz) in PAIR')
    return p.parse_args()


def main():
    o = arguments()
    dev = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    cuda = dev.type == 'cuda'
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    if not cuda:
        torch.set_num_threads(2)
    os.makedirs(o.out, exist_ok=True)
    batch = o.batch or (512 if cuda else 64)
    x, y = load(o.data, os.cpu_count())
    if cuda:
        x = x.to(dev)
    print('images', tuple(x.shape), dev, flush=True)

    phi, g, average = (net.to(dev, **CHANNELS_LAST) for net in (Phi(), G(), G()))
    d = D(64 if cuda else 32).to(dev, **CHANNELS_LAST)
    if o.start:
        some = to_input(x[torch.randperm(len(x))[:1000].to(x.device)].to(dev)).contiguous(**CHANNELS_LAST)
        load_folded(phi, np.load(o.start + '/caffenet64.npz'), some)
    if o.resume and os.path.exists(o.out + '/phi.pt'):
        phi.load_state_dict(torch.load(o.out + '/phi.pt', map_location=dev))
    if o.phi_minutes > 0:
        train_phi(phi, x, y, o.phi_minutes, batch, o.phi_lr, dev, o.out)
    phi.eval()
    mean, std = code_statistics(phi, x, dev)
    code_scale = float(1 / torch.sqrt((mean ** 2 + std ** 2).mean()))

    if o.resume and os.path.exists(o.out + '/g.pt'):
        saved = torch.load(o.out + '/g.pt', map_location=dev)
        g.load_state_dict(saved['g'])
        d.load_state_dict(saved['d'])
        average.load_state_dict(saved['ema'])
    elif o.start:
        with torch.no_grad():
            phi.eval()
            load_folded(g, np.load(o.start + '/deepsim64.npz'), phi(some)['fc6'])
        average.load_state_dict(g.state_dict())
    else:
        with torch.no_grad():
            g.defc7.weight *= code_scale
        average.load_state_dict(g.state_dict())
    if o.g_minutes > 0:
        train_g(phi, g, d, average, x, o.g_minutes, batch if cuda else 64, o.g_lr, o.adv, dev, o.out, code_scale)
    export(phi.eval(), average.eval(), mean.cpu().numpy(), std.cpu().numpy(), o.out)
    print('exported', flush=True)


if __name__ == '__main__':
    main()
