"""The networks that train.py trains: the embedded pair with batch norm, and the discriminator.

Shapes as in models/*/network.json; export() in train.py folds the batch norm into the convolutions.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils import spectral_norm

SLOPE = 0.3  # of g's leaky ReLUs


def conv_bn_relu(inputs, outputs, kernel, stride=1):
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Phi(nn.Module):
    """Images in [-1, 1] -> a dict of features, each after its ReLU; fc8 are the logits."""

    def __init__(self):
        super().__init__()
        self.conv1 = conv_bn_relu(3, 64, 5, 2)
        self.conv2 = conv_bn_relu(64, 160, 3)
        self.conv3 = conv_bn_relu(160, 256, 3)
        self.conv4 = conv_bn_relu(256, 256, 3)
        self.conv5 = conv_bn_relu(256, 256, 3)
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.fc6 = nn.Linear(4096, 1024)
        self.fc7 = nn.Linear(1024, 1024)
        self.fc8 = nn.Linear(1024, 1000)

    def forward(self, x, drop=0.):
        f = {}
        f['conv1'] = self.conv1(x)
        f['conv2'] = self.conv2(self.pool(f['conv1']))
        f['conv3'] = self.conv3(self.pool(f['conv2']))
        f['conv4'] = self.conv4(f['conv3'])
        f['conv5'] = self.conv5(f['conv4'])
        f['pool5'] = self.pool(f['conv5'])
        flat = F.dropout(f['pool5'].flatten(1), drop / 2, self.training)
        f['fc6'] = F.relu(self.fc6(flat))
        f['fc7'] = F.relu(self.fc7(F.dropout(f['fc6'], drop, self.training)))
        f['fc8'] = self.fc8(F.dropout(f['fc7'], drop, self.training))
        return f


# TAPS[parity, position, k] = 1 where row k of a 4x4 kernel, seen from output rows of that parity, falls on that
# position of a 3x3 window.
TAPS = torch.zeros(2, 3, 4)
TAPS[0, 1, 1] = TAPS[0, 0, 3] = TAPS[1, 1, 2] = TAPS[1, 2, 0] = 1


class Deconv(nn.ConvTranspose2d):
    """4x4, stride 2, padding 1. On a CPU it is computed as one 3x3 convolution and a pixel shuffle: the same numbers,
    several times faster backward than PyTorch 1.13's own."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs, 4, 2, 1, bias=False)

    def forward(self, x):
        if x.is_cuda:
            return super().forward(x)
        weight = torch.einsum('ioab,pta,qsb->opqits', self.weight, TAPS, TAPS).reshape(-1, self.weight.shape[0], 3, 3)
        return F.pixel_shuffle(F.conv2d(x, weight, padding=1), 2)


def with_bn_leaky(layer, channels):
    return nn.Sequential(layer, nn.BatchNorm2d(channels), nn.LeakyReLU(SLOPE, inplace=True))


def deconv(inputs, outputs):
    return with_bn_leaky(Deconv(inputs, outputs), outputs)


def conv(inputs, outputs):
    return with_bn_leaky(nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False), outputs)


class G(nn.Module):
    """fc6 codes (n, 1024) -> images (n, 3, 64, 64), linear, meant for [-1, 1]."""

    def __init__(self):
        super().__init__()
        self.defc7, self.defc6, self.defc5 = nn.Linear(1024, 1024), nn.Linear(1024, 1024), nn.Linear(1024, 4096)
        self.deconv5, self.conv5_1 = deconv(256, 256), conv(256, 256)
        self.deconv4, self.conv4_1 = deconv(256, 128), conv(128, 128)
        self.deconv3, self.deconv2 = deconv(128, 64), deconv(64, 32)
        self.conv0 = nn.Conv2d(32, 3, 3, 1, 1)

    def forward(self, code):
        h = F.leaky_relu(self.defc7(code), SLOPE)
        h = F.leaky_relu(self.defc6(h), SLOPE)
        h = F.leaky_relu(self.defc5(h), SLOPE)
        h = self.conv5_1(self.deconv5(h.view(-1, 256, 4, 4)))
        h = self.conv4_1(self.deconv4(h))
        return self.conv0(self.deconv2(self.deconv3(h)))


class D(nn.Module):
    """Judges (image, code) pairs; spectral norm everywhere. The letters are checkpoint names: convolutions, features,
    projection of the code, output."""

    def __init__(self, width=32):
        super().__init__()

        def halve(inputs, outputs):
            return nn.Sequential(spectral_norm(nn.Conv2d(inputs, outputs, 4, 2, 1)), nn.LeakyReLU(.2, inplace=True))

        w = width
        self.c = nn.Sequential(halve(3, w), halve(w, 2 * w), halve(2 * w, 4 * w), halve(4 * w, 8 * w))
        self.f = spectral_norm(nn.Linear(8 * w * 16, 256))
        self.p = spectral_norm(nn.Linear(1024, 256))
        self.o = spectral_norm(nn.Linear(256, 1))

    def forward(self, x, code):
        h = F.leaky_relu(self.f(self.c(x).flatten(1)), .2)
        return self.o(h).squeeze(1) + (h * self.p(code)).sum(1) / 16
