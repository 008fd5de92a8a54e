"""Records a few steps of training in PyTorch: losses, first gradients and final weights of two small networks.

    python training.py > training.json

Inputs and first weights come from a formula that the test computes too, so only results are kept. Any PyTorch 2 on the CPU will do.
"""
import json
import math

import torch
import torch.nn.functional as F

STEPS = 5
BATCH = 6
CLASSES = 4


def formula(shape, salt, scale):
    """scale sin(12.9898 (i + 1) + 78.233 salt), i the flat index."""
    count = math.prod(shape)
    values = [scale * math.sin(12.9898 * (i + 1) + 78.233 * salt) for i in range(count)]
    return torch.tensor(values, dtype=torch.float64).to(torch.float32).reshape(shape)


def images(step):
    return formula((BATCH, 3, 9, 8), 100 + step, 1.0)


def labels(step):
    return torch.tensor([(5 * n + 3 * step) % CLASSES for n in range(BATCH)])


class Record:
    """Parameters by the names `layer/role`, in the order in which they are asked for."""

    def __init__(self):
        self.tensors = {}
        self.state = {}

    def weight(self, layer, shape, bias=True):
        scale = 1.5 / math.sqrt(math.prod(shape[1:]))
        weight = self.make(f"{layer}/weight", shape, scale)
        return weight, self.make(f"{layer}/bias", (shape[0],), 0.1) if bias else None

    def make(self, name, shape, scale, offset=0.0):
        tensor = (formula(shape, len(self.tensors) + 1, scale) + offset).requires_grad_(True)
        self.tensors[name] = tensor
        return tensor


def first():
    """Strides, padding, groups, dilation, batch norm, max pooling; SGD with Nesterov's momentum and L2 decay."""
    r = Record()
    conv1, b1 = r.weight("conv1", (6, 3, 3, 3))
    conv2, _ = r.weight("conv2", (8, 3, 3, 3), bias=False)
    scale = r.make("norm2/scale", (8,), 0.3, 1.0)
    shift = r.make("norm2/shift", (8,), 0.2)
    conv3, _ = r.weight("conv3", (5, 8, 3, 2), bias=False)
    fc4, b4 = r.weight("fc4", (10, 5 * 5 * 4))
    fc5, b5 = r.weight("fc5", (CLASSES, 10))
    r.state = {"norm2/mean": torch.zeros(8), "norm2/variance": torch.ones(8)}

    def forward(x):
        x = F.relu(F.conv2d(x, conv1, b1, padding=1))
        x = F.conv2d(x, conv2, None, stride=(2, 2), padding=1, groups=2)
        x = F.batch_norm(x, r.state["norm2/mean"], r.state["norm2/variance"], scale, shift, training=True, momentum=0.1, eps=1e-5)
        x = F.relu(x)
        x = F.relu(F.conv2d(x, conv3, None, padding=(2, 1), dilation=(2, 2)))
        x = F.relu(F.linear(x.flatten(1), fc4, b4))
        return F.linear(x, fc5, b5)

    decayed, free = split(r)
    groups = [{"params": decayed, "weight_decay": 0.001}, {"params": free, "weight_decay": 0.0}]
    return r, forward, torch.optim.SGD(groups, lr=0.05, momentum=0.9, nesterov=True), 0.1


def second():
    """A large stride, LRN, average and overlapping max pooling, depthwise convolution; AdamW; no smoothing."""
    r = Record()
    conv1, b1 = r.weight("conv1", (8, 3, 5, 5))
    conv2, b2 = r.weight("conv2", (8, 1, 3, 3))
    conv3, b3 = r.weight("conv3", (12, 8, 1, 1))
    fc4, b4 = r.weight("fc4", (CLASSES, 12 * 2 * 2))

    def forward(x):
        x = F.relu(F.conv2d(x, conv1, b1, stride=(2, 1), padding=2))
        x = F.local_response_norm(x, 5, alpha=0.1, beta=0.75, k=1.0)
        x = F.max_pool2d(x, 3, 2)
        x = F.relu(F.conv2d(x, conv2, b2, padding=1, groups=8))
        x = F.relu(F.conv2d(x, conv3, b3))
        x = F.avg_pool2d(x, (1, 2), (1, 1))
        return F.linear(x.flatten(1), fc4, b4)

    decayed, free = split(r)
    groups = [{"params": decayed, "weight_decay": 0.02}, {"params": free, "weight_decay": 0.0}]
    return r, forward, torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.999), eps=1e-8), 0.0


def split(record):
    """Weights of more than one axis decay, biases, scales and shifts do not."""
    return [t for t in record.tensors.values() if t.ndim > 1], [t for t in record.tensors.values() if t.ndim <= 1]


def numbers(tensor):
    return [float(f"{value:.8g}") for value in tensor.detach().flatten().tolist()]


def run(make):
    record, forward, optimizer, smoothing = make()
    losses, gradients = [], {}
    for step in range(1, STEPS + 1):
        loss = F.cross_entropy(forward(images(step)), labels(step), label_smoothing=smoothing)
        optimizer.zero_grad()
        loss.backward()
        if step == 1:
            gradients = {name: numbers(tensor.grad) for name, tensor in record.tensors.items()}
        optimizer.step()
        losses.append(float(f"{loss.item():.8g}"))
    ended = {name: numbers(tensor) for name, tensor in [*record.tensors.items(), *record.state.items()]}
    return {"losses": losses, "gradients": gradients, "weights": ended}


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps({"torch": torch.__version__, "first": run(first), "second": run(second)}, separators=(",", ":")))
