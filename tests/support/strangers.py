# ruff: noqa: E501  # written as they are found
"""Models as strangers write them, equal or with one slip. Each has a name, the input, both files' code without imports,
the right answer, and acceptable further causes. A slip changes one place of the equal pair."""

STRANGERS: list[tuple[str, str, str, str, tuple[str, ...], tuple[str, ...]]] = []


def pair(name: str, sizes: str, torch: str, keras: str, *causes: str, also: tuple[str, ...] = ()) -> None:
    """Add a pair."""
    assert not any(torch == t and keras == k for _, _, t, k, *_ in STRANGERS), f"{name}: nothing is changed"
    STRANGERS.append((name, sizes, torch, keras, causes, also))


pair(
    "equal: the old mnist example",
    "1x28x28",
    """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3, 1)
        self.conv2 = nn.Conv2d(6, 8, 3, 1)
        self.dropout1 = nn.Dropout(0.25)
        self.fc1 = nn.Linear(1152, 16)
        self.fc2 = nn.Linear(16, 10)
    def forward(self, x):
        x = F.relu(self.conv1(x)); x = F.relu(self.conv2(x)); x = F.max_pool2d(x, 2)
        x = self.dropout1(x); x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        return F.log_softmax(self.fc2(x), dim=1)
def build(): return Net()
""",
    """
def build():
    m = keras.Sequential()
    m.add(keras.Input((28, 28, 1)))
    m.add(L.Conv2D(6, 3, activation='relu')); m.add(L.Conv2D(8, 3, activation='relu')); m.add(L.MaxPool2D())
    m.add(L.Dropout(.25)); m.add(L.Flatten()); m.add(L.Dense(16, 'relu')); m.add(L.Dense(10, activation='log_softmax'))
    return m
""",
)
pair(
    "the old mnist example, softmax for its logarithm",
    "1x28x28",
    STRANGERS[-1][2],
    STRANGERS[-1][3].replace("'log_softmax'", "'softmax'"),
    "activation.kind",
    also=("softmax.present",),
)
UT = """
class Block(nn.Module):
    def __init__(self, i, o):
        super().__init__(); self.seq = nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True), nn.Conv2d(o, o, 3, padding=1), nn.ReLU(inplace=True))
    def forward(self, x): return self.seq(x)
class UNet(nn.Module):
    def __init__(self, n=2, f=4):
        super().__init__()
        self.down = nn.ModuleList(); self.up = nn.ModuleList(); self.tr = nn.ModuleList()
        c = 3
        for k in range(n): self.down.append(Block(c, f * 2 ** k)); c = f * 2 ** k
        self.mid = Block(c, 2 * c); c *= 2
        for k in reversed(range(n)):
            self.tr.append(nn.ConvTranspose2d(c, f * 2 ** k, 2, stride=2)); self.up.append(Block(2 * f * 2 ** k, f * 2 ** k)); c = f * 2 ** k
        self.out = nn.Conv2d(c, 2, 1)
    def forward(self, x):
        skips = []
        for d in self.down:
            x = d(x); skips.append(x); x = F.max_pool2d(x, 2, 2)
        x = self.mid(x)
        for t, u, s in zip(self.tr, self.up, skips[::-1]):
            x = u(torch.cat([s, t(x)], 1))
        return torch.sigmoid(self.out(x))
def build(): return UNet()
"""
UK = """
def block(x, o):
    x = L.Conv2D(o, 3, padding='same', use_bias=False)(x); x = L.BatchNormalization(epsilon=1e-5, momentum=.9)(x); x = L.Activation('relu')(x)
    return L.Conv2D(o, 3, padding='same', activation='relu')(x)
def build():
    inp = x = keras.Input((16, 16, 3)); skips = []
    for k in range(2):
        x = block(x, 4 * 2 ** k); skips.append(x); x = L.MaxPooling2D()(x)
    x = block(x, 16)
    for k in (1, 0):
        x = L.Conv2DTranspose(4 * 2 ** k, 2, strides=2)(x); x = L.concatenate([skips[k], x]); x = block(x, 4 * 2 ** k)
    return keras.Model(inp, L.Conv2D(2, 1, activation='sigmoid')(x))
"""
pair("equal: a U-Net of loops", "3x16x16", UT, UK)
pair(
    "a U-Net, transposed convolutions replaced by upsampling",
    "3x16x16",
    UT,
    UK.replace(
        "L.Conv2DTranspose(4 * 2 ** k, 2, strides=2)(x)",
        "L.Conv2D(4 * 2 ** k, 2, padding='same')(L.UpSampling2D(2)(x))",
    ),
    "layer.kind",
    "layer.missing",
    also=("conv.stride", "padding.amount"),
)
pair(
    "a U-Net, skips concatenated behind", "3x16x16", UT, UK.replace("[skips[k], x]", "[x, skips[k]]"), "channels.order"
)
pair("a U-Net of momentum .99", "3x16x16", UT, UK.replace(", momentum=.9", ""), "batch_norm.momentum")
pair(
    "a U-Net, bias in its first convolutions", "3x16x16", UT, UK.replace(", use_bias=False", "")
)  # bias before BN: harmless
RT = """
class Res(nn.Module):
    def __init__(self, i, o, s):
        super().__init__()
        self.conv1 = nn.Conv2d(i, o, 3, s, 1, bias=False); self.bn1 = nn.BatchNorm2d(o)
        self.conv2 = nn.Conv2d(o, o, 3, 1, 1, bias=False); self.bn2 = nn.BatchNorm2d(o)
        self.shortcut = nn.Sequential()
        if s != 1 or i != o: self.shortcut = nn.Sequential(nn.Conv2d(i, o, 1, s, bias=False), nn.BatchNorm2d(o))
    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x))); out = self.bn2(self.conv2(out)); out += self.shortcut(x)
        return F.relu(out)
class Net(nn.Module):
    def __init__(self):
        super().__init__(); self.stem = nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.layers = nn.Sequential(Res(8, 8, 1), Res(8, 16, 2)); self.head = nn.Linear(16, 5)
    def forward(self, x):
        x = self.layers(self.stem(x)); x = F.adaptive_avg_pool2d(x, (1, 1)).view(x.size(0), -1)
        return self.head(x)
def build(): return Net()
"""
RK = """
BN = dict(epsilon=1e-5, momentum=0.9)
def res(x, o, s, name):
    y = L.ZeroPadding2D(1)(x) if s > 1 else x
    y = L.Conv2D(o, 3, s, padding='valid' if s > 1 else 'same', use_bias=False, name=name + '_c1')(y); y = L.ReLU()(L.BatchNormalization(**BN)(y))
    y = L.BatchNormalization(**BN)(L.Conv2D(o, 3, padding='same', use_bias=False, name=name + '_c2')(y))
    if s > 1 or x.shape[-1] != o: x = L.BatchNormalization(**BN)(L.Conv2D(o, 1, s, use_bias=False)(x))
    return L.ReLU()(L.add([x, y]))
def build():
    i = keras.Input((32, 32, 3)); x = L.ZeroPadding2D(3)(i); x = L.Conv2D(8, 7, 2, use_bias=False)(x); x = L.ReLU()(L.BatchNormalization(**BN)(x))
    x = L.ZeroPadding2D(1)(x); x = L.MaxPooling2D(3, 2)(x)
    x = res(x, 8, 1, 'a'); x = res(x, 16, 2, 'b')
    return keras.Model(i, L.Dense(5)(L.GlobalAvgPool2D()(x)))
"""
pair("equal: a residual network", "3x32x32", RT, RK)
pair(
    "a residual network, pooling padded by same",
    "3x32x32",
    RT,
    RK.replace("x = L.ZeroPadding2D(1)(x); x = L.MaxPooling2D(3, 2)(x)", "x = L.MaxPooling2D(3, 2, padding='same')(x)"),
    "padding.side",
)
pair(
    "a residual network, same in its second block",
    "3x32x32",
    RT,
    RK.replace("y = L.ZeroPadding2D(1)(x) if s > 1 else x", "y = x").replace("'valid' if s > 1 else 'same'", "'same'"),
    "padding.side",
)
pair(
    "a residual network, relu before the sum",
    "3x32x32",
    RT,
    RK.replace("return L.ReLU()(L.add([x, y]))", "return L.add([x, L.ReLU()(y)])"),
    "layer.order",
)
pair(
    "a residual network, no normalisation of the shortcut",
    "3x32x32",
    RT,
    RK.replace(
        "x = L.BatchNormalization(**BN)(L.Conv2D(o, 1, s, use_bias=False)(x))",
        "x = L.Conv2D(o, 1, s, use_bias=False)(x)",
    ),
    "layer.missing",
    also=("batch_norm.folded",),
)
pair(
    "a residual network, maximum for the mean at the end",
    "3x32x32",
    RT,
    RK.replace("L.GlobalAvgPool2D", "L.GlobalMaxPool2D"),
    "pool.kind",
)
pair(
    "a residual network, one default epsilon",
    "3x32x32",
    RT,
    RK.replace(
        "x = L.Conv2D(8, 7, 2, use_bias=False)(x); x = L.ReLU()(L.BatchNormalization(**BN)(x))",
        "x = L.Conv2D(8, 7, 2, use_bias=False)(x); x = L.ReLU()(L.BatchNormalization(momentum=.9)(x))",
    ),
    "batch_norm.epsilon",
)
pair(
    "equal: a mixer",
    "3x16x16",
    """
class Mixer(nn.Module):
    def __init__(self, n=16, d=12):
        super().__init__(); self.patch = nn.Conv2d(3, d, 4, 4); self.ln1 = nn.LayerNorm(d); self.t1 = nn.Linear(n, 8); self.t2 = nn.Linear(8, n)
        self.ln2 = nn.LayerNorm(d); self.c1 = nn.Linear(d, 24); self.c2 = nn.Linear(24, d); self.ln3 = nn.LayerNorm(d); self.fc = nn.Linear(d, 4)
    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        y = self.ln1(x).transpose(1, 2); y = self.t2(F.gelu(self.t1(y))).transpose(1, 2); x = x + y
        x = x + self.c2(F.gelu(self.c1(self.ln2(x))))
        return self.fc(self.ln3(x).mean(dim=1))
def build(): return Mixer()
""",
    """
def mlp(x, h, o): return L.Dense(o)(L.Dense(h, activation='gelu')(x))
def build():
    i = keras.Input((16, 16, 3)); x = L.Conv2D(12, 4, 4)(i); x = L.Reshape((-1, 12))(x)
    y = L.LayerNormalization(epsilon=1e-5)(x); y = L.Permute((2, 1))(y); y = mlp(y, 8, 16); y = L.Permute((2, 1))(y); x = L.Add()([x, y])
    x = x + mlp(L.LayerNormalization(epsilon=1e-5)(x), 24, 12)
    x = L.LayerNormalization(epsilon=1e-5)(x); return keras.Model(i, L.Dense(4)(L.GlobalAveragePooling1D()(x)))
""",
)
pair(
    "a mixer, one epsilon of Keras",
    "3x16x16",
    STRANGERS[-1][2],
    STRANGERS[-1][3].replace(
        "mlp(L.LayerNormalization(epsilon=1e-5)(x), 24, 12)", "mlp(L.LayerNormalization()(x), 24, 12)"
    ),
    "layer_norm.epsilon",
)
pair(
    "a mixer, gelu of tanh",
    "3x16x16",
    STRANGERS[-2][2]
    .replace("F.gelu(self.t1(y))", "F.gelu(self.t1(y), approximate='tanh')")
    .replace("F.gelu(self.c1(self.ln2(x)))", "F.gelu(self.c1(self.ln2(x)), approximate='tanh')"),
    STRANGERS[-2][3],
    "activation.approximation",
)
AT = """
class Audio(nn.Module):
    def __init__(self):
        super().__init__(); self.net = nn.Sequential(nn.Conv1d(2, 8, 9, stride=2, padding=4), nn.InstanceNorm1d(8, affine=True), nn.LeakyReLU(0.1), nn.Conv1d(8, 8, 3, padding=2, dilation=2, groups=2), nn.ELU(), nn.AvgPool1d(4, 4))
        self.fc = nn.Linear(8, 3)
    def forward(self, x): return self.fc(self.net(x).amax(-1))
def build(): return Audio()
"""
AK = """
def build():
    i = keras.Input((64, 2)); x = L.ZeroPadding1D(4)(i); x = L.Conv1D(8, 9, strides=2)(x); x = L.GroupNormalization(groups=8, epsilon=1e-5)(x); x = L.LeakyReLU(negative_slope=.1)(x)
    x = L.Conv1D(8, 3, padding='same', dilation_rate=2, groups=2)(x); x = L.ELU()(x); x = L.AveragePooling1D(4, 4)(x); x = L.GlobalMaxPooling1D()(x)
    return keras.Model(i, L.Dense(3)(x))
"""
pair("equal: audio", "2x64", AT, AK)
pair(
    "audio, causal padding",
    "2x64",
    AT,
    AK.replace("L.Conv1D(8, 3, padding='same'", "L.Conv1D(8, 3, padding='causal'"),
    "padding.side",
)
pair(
    "audio, groups of the normalisation",
    "2x64",
    AT,
    AK.replace("groups=8, epsilon", "groups=4, epsilon"),
    "group_norm.groups",
)
pair(
    "audio, default slope",
    "2x64",
    AT,
    AK.replace("L.LeakyReLU(negative_slope=.1)", "L.LeakyReLU()"),
    "activation.slope",
)
pair(
    "audio, dilation forgotten",
    "2x64",
    AT,
    AK.replace("dilation_rate=2, ", ""),
    "conv.dilation",
    also=("padding.amount",),
)
VT = """
class Video(nn.Module):
    def __init__(self):
        super().__init__(); self.c1 = nn.Conv3d(1, 4, (3, 3, 3), padding=(1, 1, 1)); self.bn = nn.BatchNorm3d(4); self.p = nn.MaxPool3d((1, 2, 2)); self.c2 = nn.Conv3d(4, 8, 3, stride=(1, 2, 2)); self.up = nn.ConvTranspose3d(8, 2, 2, 2)
    def forward(self, x): return torch.tanh(self.up(F.relu(self.c2(self.p(F.relu(self.bn(self.c1(x))))))))
def build(): return Video()
"""
VK = """
def build():
    return keras.Sequential([keras.Input((6, 14, 14, 1)), L.Conv3D(4, 3, padding='same'), L.BatchNormalization(epsilon=1e-5, momentum=.9), L.ReLU(), L.MaxPooling3D((1, 2, 2)), L.Conv3D(8, 3, strides=(1, 2, 2), activation='relu'), L.Conv3DTranspose(2, 2, 2, activation='tanh')])
"""
pair("equal: video", "1x6x14x14", VT, VK)
pair(
    "video, another activation and a pooling of one",
    "1x6x14x14",
    VT,
    VK.replace(
        "L.MaxPooling3D((1, 2, 2))", "L.MaxPooling3D((1, 2, 2), strides=(1, 2, 2)), L.MaxPooling3D((1, 1, 1))"
    ).replace("activation='tanh'", "activation='sigmoid'"),
    "activation.kind",
    also=("layer.missing",),
)
pair(
    "video, strides in another order",
    "1x6x14x14",
    VT.replace("stride=(1, 2, 2)", "stride=(2, 2, 1), padding=1"),
    VK.replace("L.Conv3D(8, 3, strides=(1, 2, 2)", "L.ZeroPadding3D(1), L.Conv3D(8, 3, strides=(2, 1, 2)"),
    "conv.stride",
)
MT = """
def dw(i, o, s): return nn.Sequential(nn.Conv2d(i, i, 3, s, 1, groups=i, bias=False), nn.BatchNorm2d(i), nn.ReLU6(True), nn.Conv2d(i, o, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU6(True))
class Net(nn.Module):
    def __init__(self): super().__init__(); self.f = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(True), dw(8, 16, 1), dw(16, 16, 2)); self.c = nn.Linear(16, 4)
    def forward(self, x): return self.c(self.f(x).mean([2, 3]))
def build(): return Net()
"""
MK = """
def bn(x): return L.BatchNormalization(momentum=.9, epsilon=1e-5)(x)
def dw(x, o, s):
    if s == 2: x = L.ZeroPadding2D(((1, 1), (1, 1)))(x)
    x = L.DepthwiseConv2D(3, s, padding='same' if s == 1 else 'valid', use_bias=False)(x); x = L.ReLU(6.)(bn(x)); x = L.Conv2D(o, 1, use_bias=False)(x); return L.ReLU(max_value=6)(bn(x))
def build():
    i = keras.Input((24, 24, 3)); x = L.ZeroPadding2D(1)(i); x = L.Conv2D(8, 3, 2, use_bias=False)(x); x = L.ReLU(6.)(bn(x)); x = dw(x, 16, 1); x = dw(x, 16, 2)
    return keras.Model(i, L.Dense(4)(L.GlobalAveragePooling2D()(x)))
"""
pair("equal: mobile", "3x24x24", MT, MK)
pair(
    "mobile, relu for relu6 once",
    "3x24x24",
    MT,
    MK.replace("return L.ReLU(max_value=6)(bn(x))", "return L.ReLU()(bn(x))"),
    "activation.kind",
)
pair(
    "mobile, padded at the other side",
    "3x24x24",
    MT,
    MK.replace("((1, 1), (1, 1))", "((0, 1), (0, 1))"),
    "padding.side",
)
pair(
    "mobile, multiplier of images",
    "3x24x24",
    MT,
    MK.replace("x = L.ZeroPadding2D(1)(i)", "x = L.Rescaling(1 / 127.5, -1)(i); x = L.ZeroPadding2D(1)(x)"),
    "input.scale",
)
ST = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer('mean', torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)); self.register_buffer('std', torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.c = nn.Conv2d(3, 8, 3, padding=1); self.f1 = nn.Linear(8, 2); self.f2 = nn.Linear(2, 8); self.o = nn.Linear(8, 3)
    def forward(self, x):
        x = (x - self.mean) / self.std
        x = F.silu(self.c(x)); w = x.mean((-2, -1)); w = torch.sigmoid(self.f2(F.relu(self.f1(w))))
        x = x * w[:, :, None, None]
        return self.o(F.adaptive_max_pool2d(x, 1).squeeze(-1).squeeze(-1))
def build(): return Net()
"""
SK = """
import numpy as np
MEAN = np.array([0.485, 0.456, 0.406]); STD = np.array([0.229, 0.224, 0.225])
class Net(keras.Model):
    def __init__(self):
        super().__init__(); self.c = L.Conv2D(8, 3, padding='same'); self.f1 = L.Dense(2, activation='relu'); self.f2 = L.Dense(8, activation='sigmoid'); self.o = L.Dense(3); self.gap = L.GlobalAveragePooling2D(keepdims=True); self.gmp = L.GlobalMaxPooling2D()
    def call(self, x):
        x = (x - MEAN) / STD
        x = ops.silu(self.c(x)); w = self.f2(self.f1(self.gap(x)))
        return self.o(self.gmp(x * w))
def build(): return Net()
"""
pair("equal: the means of ImageNet, as float32 and as float64", "3x12x12", ST, SK)
pair(
    "the means of ImageNet, another deviation",
    "3x12x12",
    ST,
    SK.replace("0.229, 0.224, 0.225", "0.229, 0.224, 0.229"),
    "constant.value",
    also=("input.scale",),
)
pair(
    "the means of ImageNet, not divided",
    "3x12x12",
    ST,
    SK.replace("x = (x - MEAN) / STD", "x = x - MEAN"),
    "input.scale",
    also=("layer.missing",),
)
pair("excitation added", "3x12x12", ST, SK.replace("self.gmp(x * w)", "self.gmp(x + w)"), "merge.kind")
GT = """
class Net(nn.Module):
    def __init__(self):
        super().__init__(); self.c1 = nn.Conv2d(3, 8, 3, padding=1, padding_mode='reflect'); self.g1 = nn.GroupNorm(4, 8); self.c2 = nn.Conv2d(8, 8, 3, padding=1); self.g2 = nn.GroupNorm(1, 8); self.up = nn.Upsample(scale_factor=2, mode='bilinear', align_corners=False); self.c3 = nn.Conv2d(8, 3, 1)
    def forward(self, x): return self.c3(self.up(F.mish(self.g2(self.c2(F.relu(self.g1(self.c1(x))))))))
def build(): return Net()
"""
GK = """
class Reflect(L.Layer):
    def call(self, x): return ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode='reflect')
def build():
    return keras.Sequential([keras.Input((10, 10, 3)), Reflect(), L.Conv2D(8, 3), L.GroupNormalization(4, epsilon=1e-5), L.ReLU(), L.Conv2D(8, 3, padding='same'), L.GroupNormalization(1, epsilon=1e-5), L.Activation('mish'), L.UpSampling2D(interpolation='bilinear'), L.Conv2D(3, 1)])
"""
pair("equal: groups and reflection", "3x10x10", GT, GK)
pair("groups and reflection, padded with zeros", "3x10x10", GT, GK.replace(", mode='reflect'", ""), "padding.mode")
pair(
    "groups and reflection, corners aligned",
    "3x10x10",
    GT.replace("align_corners=False", "align_corners=True"),
    GK,
    "resize.corners",
)
pair(
    "groups and reflection, nearest",
    "3x10x10",
    GT,
    GK.replace("L.UpSampling2D(interpolation='bilinear')", "L.UpSampling2D()"),
    "resize.mode",
)
pair(
    "groups and reflection, default epsilon",
    "3x10x10",
    GT,
    GK.replace("L.GroupNormalization(1, epsilon=1e-5)", "L.GroupNormalization(1)"),
    "group_norm.epsilon",
)
ET = """
class Bag(nn.Module):
    def __init__(self): super().__init__(); self.emb = nn.Embedding(30, 6, padding_idx=0); self.h = nn.Linear(6, 8); self.o = nn.Linear(8, 2)
    def forward(self, ids):
        e = self.emb(ids).mean(1); return self.o(torch.relu(self.h(e)))
def build(): return Bag()
"""
EK = """
def build():
    i = keras.Input((9,), dtype='int32'); x = L.Embedding(30, 6)(i); x = L.GlobalAveragePooling1D()(x); x = L.Dense(8, 'relu')(x); return keras.Model(i, L.Dense(2)(x))
"""
pair("equal: a bag of words", "9:0..29", ET, EK)
pair(
    "a bag of words, its maximum",
    "9:0..29",
    ET,
    EK.replace("GlobalAveragePooling1D", "GlobalMaxPooling1D"),
    "pool.kind",
    also=("rnn.sequences", "layer.kind"),
)
pair(
    "a bag of words, mean of what is not padded",
    "9:0..29",
    ET,
    EK.replace("L.Embedding(30, 6)", "L.Embedding(30, 6, mask_zero=True)"),
    "rnn.mask",
    also=("attention.mask", "layer.kind", "layer.missing", "pool.kind", "rnn.sequences"),
)
WT = """
class Net(nn.Module):
    def __init__(self): super().__init__(); self.c1 = nn.Conv2d(3, 6, 5); self.c2 = nn.Conv2d(6, 8, 3, padding='same'); self.l1 = nn.Linear(8 * 4 * 4, 12); self.l2 = nn.Linear(12, 4)
    def forward(self, x):
        x = F.max_pool2d(F.relu(self.c1(x)), 2); x = F.avg_pool2d(F.elu(self.c2(x)), 2, ceil_mode=False)
        x = x.reshape(len(x), -1); return self.l2(F.relu(self.l1(x)))
def build(): return Net()
"""
WK = """
import tensorflow as tf
class Net(tf.Module):
    def __init__(self):
        super().__init__(); init = tf.random.truncated_normal
        self.w1 = tf.Variable(init([5, 5, 3, 6]), name='w1'); self.b1 = tf.Variable(tf.zeros([6])); self.w2 = tf.Variable(init([3, 3, 6, 8])); self.b2 = tf.Variable(tf.zeros([8]))
        self.w3 = tf.Variable(init([128, 12])); self.b3 = tf.Variable(tf.zeros([12])); self.w4 = tf.Variable(init([12, 4])); self.b4 = tf.Variable(tf.zeros([4]))
    @tf.function
    def __call__(self, x):
        x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, self.w1, [1, 1, 1, 1], 'VALID'), self.b1)); x = tf.nn.max_pool2d(x, 2, 2, 'VALID')
        x = tf.nn.elu(tf.nn.conv2d(x, self.w2, 1, 'SAME') + self.b2); x = tf.nn.avg_pool2d(x, 2, 2, 'SAME')
        x = tf.reshape(x, [tf.shape(x)[0], -1])
        x = tf.nn.relu(tf.matmul(x, self.w3) + self.b3); return tf.add(tf.matmul(x, self.w4), self.b4)
def build(): return Net()
"""
pair("equal: raw variables", "3x20x20", WT, WK)
pair(
    "raw variables, no last bias",
    "3x20x20",
    WT,
    WK.replace("tf.add(tf.matmul(x, self.w4), self.b4)", "tf.matmul(x, self.w4)"),
    "bias.missing",
)
pair(
    "raw variables, tanh",
    "3x20x20",
    WT,
    WK.replace("tf.nn.relu(tf.matmul(x, self.w3)", "tf.nn.tanh(tf.matmul(x, self.w3)"),
    "activation.kind",
)
pair(
    "raw variables, flattened with rows first",
    "3x20x20",
    WT,
    WK.replace(
        "x = tf.reshape(x, [tf.shape(x)[0], -1])", "x = tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [tf.shape(x)[0], -1])"
    ),
    "flatten.order",
)
pair(
    "raw variables, overlapping pooling",
    "3x20x20",
    WT,
    WK.replace("tf.nn.max_pool2d(x, 2, 2, 'VALID')", "tf.nn.max_pool2d(x, 3, 2, 'SAME')"),
    "pool.size",
    also=("padding.amount", "padding.side"),
)
TT = """
class Two(nn.Module):
    def __init__(self): super().__init__(); self.img = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()); self.vec = nn.Linear(5, 4); self.j = nn.Linear(8, 6); self.a = nn.Linear(6, 3); self.b = nn.Linear(6, 3)
    def forward(self, image, vector):
        z = torch.cat([self.img(image), F.relu(self.vec(vector))], dim=-1); z = F.dropout(F.relu(self.j(z)), 0.2, self.training)
        return {'cls': self.a(z), 'box': torch.sigmoid(self.b(z))}
def build(): return Two()
"""
TK = """
def build():
    a = keras.Input((12, 12, 1), name='image'); b = keras.Input((5,), name='vector'); x = L.GlobalAveragePooling2D()(L.Conv2D(4, 3, activation='relu')(a)); y = L.Dense(4, activation='relu')(b)
    z = L.Dense(6, activation='relu')(L.Concatenate()([x, y])); z = L.Dropout(.2)(z); return keras.Model([a, b], [L.Dense(3)(z), L.Dense(3, activation='sigmoid')(z)])
"""
pair("equal: two inputs, two outputs", "image=1x12x12,vector=5", TT, TK)
pair(
    "two inputs, two outputs, swapped",
    "image=1x12x12,vector=5",
    TT,
    TK.replace(
        "[L.Dense(3)(z), L.Dense(3, activation='sigmoid')(z)]", "[L.Dense(3, activation='sigmoid')(z), L.Dense(3)(z)]"
    ),
    "outputs.order",
)
pair(
    "two inputs, two outputs, rate",
    "image=1x12x12,vector=5",
    TT,
    TK.replace("L.Dropout(.2)", "L.Dropout(.5)"),
    "dropout.rate",
)
pair(
    "two inputs, joined the other way",
    "image=1x12x12,vector=5",
    TT,
    TK.replace("L.Concatenate()([x, y])", "L.Concatenate()([y, x])"),
    "channels.order",
)
CT = """
class Shared(nn.Module):
    def __init__(self, steps=3): super().__init__(); self.inp = nn.Linear(7, 10); self.cell = nn.Linear(10, 10); self.out = nn.Linear(10, 2); self.steps = steps
    def forward(self, x):
        h = self.inp(x).tanh()
        for k in range(self.steps):
            h = h + F.softplus(self.cell(h)) if k % 2 == 0 else h * torch.sigmoid(self.cell(h))
        return self.out(F.normalize(h, dim=-1))
def build(): return Shared()
"""
CK = """
class Shared(keras.Model):
    def __init__(self, steps=3): super().__init__(); self.inp = L.Dense(10, activation='tanh'); self.cell = L.Dense(10); self.out = L.Dense(2); self.steps = steps
    def call(self, x):
        h = self.inp(x)
        for k in range(self.steps):
            if k % 2 == 0: h = h + ops.softplus(self.cell(h))
            else: h = h * ops.sigmoid(self.cell(h))
        return self.out(h / ops.norm(h, axis=-1, keepdims=True))
def build(): return Shared()
"""
pair("equal: a shared cell", "7", CT, CK)
pair("a shared cell, one step less", "7", CT, CK.replace("steps=3", "steps=2"), "layer.missing")
pair(
    "a shared cell, not normalised",
    "7",
    CT,
    CK.replace("h / ops.norm(h, axis=-1, keepdims=True)", "h"),
    "layer.missing",
)
pair(
    "equal: super resolution",
    "1x8x8",
    """
class SR(nn.Module):
    def __init__(s, r=2):
        super().__init__(); s.c1 = nn.Conv2d(1, 8, 5, 1, 2); s.c2 = nn.Conv2d(8, r * r, 3, 1, 1); s.ps = nn.PixelShuffle(r); s.act = nn.PReLU()
    def forward(s, x): return s.ps(s.c2(s.act(s.c1(x)))) + F.interpolate(x, scale_factor=2, mode='nearest')
def build(): return SR()
""",
    """
import tensorflow as tf
def build():
    i = keras.Input((8, 8, 1)); x = L.Conv2D(8, 5, padding='same')(i); x = L.PReLU(shared_axes=[1, 2, 3])(x); x = L.Conv2D(4, 3, padding='same')(x)
    x = L.Lambda(lambda t: tf.nn.depth_to_space(t, 2))(x); return keras.Model(i, x + L.UpSampling2D(2)(i))
""",
)
pair(
    "super resolution, bicubic beside it",
    "1x8x8",
    STRANGERS[-1][2].replace("mode='nearest'", "mode='bicubic'"),
    STRANGERS[-1][3],
    "resize.mode",
)
pair(
    "hand-written normalisation over channels",
    "4x9x9",
    """
class Net(nn.Module):
    def __init__(s): super().__init__(); s.c = nn.Conv2d(4, 6, 3, bias=False); s.g = nn.Parameter(torch.ones(6, 1, 1)); s.b = nn.Parameter(torch.zeros(6, 1, 1)); s.f = nn.Linear(6, 3)
    def forward(s, x):
        x = s.c(x); u = x.mean(1, keepdim=True); v = (x - u).pow(2).mean(1, keepdim=True); x = (x - u) / torch.sqrt(v + 1e-6); x = s.g * x + s.b
        return s.f(x.clamp(-1, 1).flatten(2).sum(-1))
def build(): return Net()
""",
    """
def build():
    i = keras.Input((9, 9, 4)); x = L.Conv2D(6, 3, use_bias=False)(i); x = L.LayerNormalization(axis=-1, epsilon=1e-3)(x); x = ops.clip(x, -1, 1); x = ops.sum(x, axis=[1, 2]); return keras.Model(i, L.Dense(3)(x))
""",
    "layer_norm.epsilon",
)
pair(
    "two dense blocks, only one bias of two forgotten",
    "12",
    """
def build(): return nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
""",
    """
def build(): return keras.Sequential([keras.Input((12,)), L.Dense(8, activation='relu'), L.Dense(8, activation='relu', use_bias=False), L.Dense(3)])
""",
    "bias.missing",
)
pair(
    "an autoencoder, output padding",
    "1x14x14",
    """
class AE(nn.Module):
    def __init__(s):
        super().__init__(); s.enc = nn.Sequential(nn.Conv2d(1, 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(4, 8, 3, 2, 1), nn.ReLU()); s.dec = nn.Sequential(nn.ConvTranspose2d(8, 4, 3, 2, 1, output_padding=0), nn.ReLU(), nn.ConvTranspose2d(4, 1, 3, 2, 1, output_padding=1), nn.Sigmoid())
    def forward(s, x): return s.dec(s.enc(x))
def build(): return AE()
""",
    """
def build():
    return keras.Sequential([keras.Input((14, 14, 1)), L.ZeroPadding2D(1), L.Conv2D(4, 3, 2, activation='relu'), L.ZeroPadding2D(1), L.Conv2D(8, 3, 2, activation='relu'), L.Conv2DTranspose(4, 3, 2, padding='same'), L.Cropping2D(((0, 1), (0, 1))), L.ReLU(), L.Conv2DTranspose(1, 3, 2, padding='same', activation='sigmoid')])
""",
    "padding.side",
    also=("deconv.output_padding", "padding.amount"),
)
pair(
    "adaptive pooling to uneven parts",
    "3x11x11",
    """
class N(nn.Module):
    def __init__(s): super().__init__(); s.c = nn.Conv2d(3, 4, 3, padding=1); s.f = nn.Linear(4 * 4, 3)
    def forward(s, x): return s.f(torch.flatten(F.adaptive_avg_pool2d(F.hardswish(s.c(x)), 2), 1))
def build(): return N()
""",
    """
def build():
    i = keras.Input((11, 11, 3)); x = L.Conv2D(4, 3, padding='same', activation='hard_silu')(i); x = L.AveragePooling2D(5)(x); return keras.Model(i, L.Dense(3)(L.Flatten()(x)))
""",
    "pool.kind",
    also=("pool.size",),
)
pair(
    "equal: a model within a model",
    "3x12x12",
    """
class Enc(nn.Module):
    def __init__(s): super().__init__(); s.c = nn.Conv2d(3, 4, 3, bias=False); s.n = nn.BatchNorm2d(4, affine=False)
    def forward(s, x): return s.n(s.c(x)).abs().sqrt()
class N(nn.Module):
    def __init__(s): super().__init__(); s.enc = Enc(); s.pool = nn.LPPool2d(1, 2) if False else nn.AvgPool2d(2); s.h = nn.Linear(100, 3)
    def forward(s, x): return s.h(s.pool(s.enc(x)).permute(0, 2, 3, 1).reshape(x.shape[0], -1))
def build(): return N()
""",
    """
def encoder():
    i = keras.Input((12, 12, 3)); x = L.Conv2D(4, 3, use_bias=False)(i); x = L.BatchNormalization(center=False, scale=False, epsilon=1e-5, momentum=.9)(x); return keras.Model(i, ops.sqrt(ops.abs(x)), name='enc')
def build(): return keras.Sequential([keras.Input((12, 12, 3)), encoder(), L.AveragePooling2D(2), L.Flatten(), L.Dense(3)])
""",
)
pair(
    "a model within a model, frozen statistics",
    "3x12x12",
    STRANGERS[-1][2],
    STRANGERS[-1][3]
    .replace("return keras.Model(i, ops.sqrt", "m = keras.Model(i, ops.sqrt")
    .replace("name='enc')", "name='enc'); m.trainable = False; return m"),
    "batch_norm.mode",
)
pair(
    "channels reversed in the code",
    "3x12x12",
    """
def build(): return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(100, 3))
""",
    """
def build():
    i = keras.Input((12, 12, 3)); x = i[..., ::-1]; x = L.Conv2D(4, 3, activation='relu')(x); x = L.MaxPooling2D()(x); return keras.Model(i, L.Dense(3)(L.Flatten()(x)))
""",
    "channels.order",
)
pair(
    "softmax over the wrong axis of a map",
    "2x6x6",
    """
class N(nn.Module):
    def __init__(s): super().__init__(); s.c = nn.Conv2d(2, 4, 1)
    def forward(s, x): return s.c(x).softmax(1)
def build(): return N()
""",
    """
def build():
    i = keras.Input((6, 6, 2)); x = L.Conv2D(4, 1)(i); return keras.Model(i, L.Softmax(axis=1)(x))
""",
    "softmax.axis",
)
pair(
    "flattened in another order without a layer to tell",
    "3x8x8",
    """
class N(nn.Module):
    def __init__(s): super().__init__(); s.c = nn.Conv2d(3, 4, 3); s.w = nn.Parameter(torch.randn(144, 5) * .1); s.b = nn.Parameter(torch.zeros(5))
    def forward(s, x): return torch.relu(s.c(x)).view(-1, 144) @ s.w + s.b
def build(): return N()
""",
    """
def build():
    return keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(4, 3, activation='relu'), L.Permute((2, 1, 3)), L.Flatten(), L.Dense(5)])
""",
    "flatten.order",
)
