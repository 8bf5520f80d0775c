# ruff: noqa: E501  # written as they are found
"""Whole models as strangers write them: a name, the input, both files' code without imports, and the right answer."""

WHOLE: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
    (
        "equal: squeeze and excitation",
        "3x12x12",
        """
class SE(nn.Module):
    def __init__(s,c,r=2):
        super().__init__(); s.fc1=nn.Conv2d(c,c//r,1); s.fc2=nn.Conv2d(c//r,c,1)
    def forward(s,x):
        w=F.adaptive_avg_pool2d(x,1); return x*torch.sigmoid(s.fc2(F.relu(s.fc1(w))))
class Net(nn.Module):
    def __init__(s):
        super().__init__(); s.stem=nn.Conv2d(3,8,3,2,1); s.bn=nn.BatchNorm2d(8); s.se=SE(8); s.blocks=nn.ModuleList([nn.Conv2d(8,8,3,padding=1,groups=8) for _ in range(2)]); s.fc=nn.Linear(8,4)
    def forward(s,x):
        x=F.relu(s.bn(s.stem(x)))
        x=s.se(x)
        for b in s.blocks: x=x+F.silu(b(x))
        return s.fc(x.mean((2,3)))

def build():
    return Net()
""",
        """
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.stem=L.Conv2D(8,3,2,padding='valid'); self.bn=L.BatchNormalization(epsilon=1e-05,momentum=0.9)
        self.fc1=L.Dense(4,activation="relu"); self.fc2=L.Dense(8,activation='sigmoid')
        self.blocks=[L.DepthwiseConv2D(3,padding="same") for _ in range(2)]
        self.fc=L.Dense(4)
    def call(self,x,training=False):
        x=ops.pad(x,[[0,0],[1,1],[1,1],[0,0]])
        x=ops.relu(self.bn(self.stem(x),training=training))
        w=self.fc2(self.fc1(ops.mean(x,axis=(1,2))))
        x=x*ops.reshape(w,(-1,1,1,8))
        for b in self.blocks: x=x+ops.silu(b(x))
        return self.fc(ops.mean(x,axis=(1,2)))

def build():
    return Net()
""",
        (),
    ),
    (
        "excitation, padding and epsilon",
        "3x12x12",
        """
class SE(nn.Module):
    def __init__(s,c,r=2):
        super().__init__(); s.fc1=nn.Conv2d(c,c//r,1); s.fc2=nn.Conv2d(c//r,c,1)
    def forward(s,x):
        w=F.adaptive_avg_pool2d(x,1); return x*torch.sigmoid(s.fc2(F.relu(s.fc1(w))))
class Net(nn.Module):
    def __init__(s):
        super().__init__(); s.stem=nn.Conv2d(3,8,3,2,1); s.bn=nn.BatchNorm2d(8); s.se=SE(8); s.blocks=nn.ModuleList([nn.Conv2d(8,8,3,padding=1,groups=8) for _ in range(2)]); s.fc=nn.Linear(8,4)
    def forward(s,x):
        x=F.relu(s.bn(s.stem(x)))
        x=s.se(x)
        for b in s.blocks: x=x+F.silu(b(x))
        return s.fc(x.mean((2,3)))

def build():
    return Net()
""",
        """
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.stem=L.Conv2D(8,3,2,padding='same'); self.bn=L.BatchNormalization(epsilon=0.001,momentum=0.9)
        self.fc1=L.Dense(4,activation="relu"); self.fc2=L.Dense(8,activation='sigmoid')
        self.blocks=[L.DepthwiseConv2D(3,padding="same") for _ in range(2)]
        self.fc=L.Dense(4)
    def call(self,x,training=False):
        pass
        x=ops.relu(self.bn(self.stem(x),training=training))
        w=self.fc2(self.fc1(ops.mean(x,axis=(1,2))))
        x=x*ops.reshape(w,(-1,1,1,8))
        for b in self.blocks: x=x+ops.silu(b(x))
        return self.fc(ops.mean(x,axis=(1,2)))

def build():
    return Net()
""",
        ("padding.side", "batch_norm.epsilon"),
    ),
    (
        "excitation by a hard sigmoid",
        "3x12x12",
        """
class SE(nn.Module):
    def __init__(s,c,r=2):
        super().__init__(); s.fc1=nn.Conv2d(c,c//r,1); s.fc2=nn.Conv2d(c//r,c,1)
    def forward(s,x):
        w=F.adaptive_avg_pool2d(x,1); return x*torch.sigmoid(s.fc2(F.relu(s.fc1(w))))
class Net(nn.Module):
    def __init__(s):
        super().__init__(); s.stem=nn.Conv2d(3,8,3,2,1); s.bn=nn.BatchNorm2d(8); s.se=SE(8); s.blocks=nn.ModuleList([nn.Conv2d(8,8,3,padding=1,groups=8) for _ in range(2)]); s.fc=nn.Linear(8,4)
    def forward(s,x):
        x=F.relu(s.bn(s.stem(x)))
        x=s.se(x)
        for b in s.blocks: x=x+F.silu(b(x))
        return s.fc(x.mean((2,3)))

def build():
    return Net()
""",
        """
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.stem=L.Conv2D(8,3,2,padding='valid'); self.bn=L.BatchNormalization(epsilon=1e-05,momentum=0.9)
        self.fc1=L.Dense(4,activation="relu"); self.fc2=L.Dense(8,activation='hard_sigmoid')
        self.blocks=[L.DepthwiseConv2D(3,padding="same") for _ in range(2)]
        self.fc=L.Dense(4)
    def call(self,x,training=False):
        x=ops.pad(x,[[0,0],[1,1],[1,1],[0,0]])
        x=ops.relu(self.bn(self.stem(x),training=training))
        w=self.fc2(self.fc1(ops.mean(x,axis=(1,2))))
        x=x*ops.reshape(w,(-1,1,1,8))
        for b in self.blocks: x=x+ops.silu(b(x))
        return self.fc(ops.mean(x,axis=(1,2)))

def build():
    return Net()
""",
        ("activation.kind",),
    ),
    (
        "normalised behind a transpose",
        "4x20",
        """
class Net(nn.Module):
    def __init__(s):
        super().__init__(); s.c1=nn.Conv1d(4,8,5,padding=2); s.c2=nn.Conv1d(8,8,3,padding=2,dilation=2); s.ln=nn.LayerNorm(8); s.fc=nn.Linear(8,3)
    def forward(s,x):
        x=F.gelu(s.c1(x)); x=F.max_pool1d(x,2); x=F.gelu(s.c2(x)); x=s.ln(x.transpose(1,2)); return s.fc(x.mean(1))

def build():
    return Net()
""",
        """
def build():
    i=keras.Input((20,4)); x=L.Conv1D(8,5,padding="same",activation="gelu")(i); x=L.MaxPooling1D(2)(x)
    x=L.Conv1D(8,3,padding="same",dilation_rate=2)(x); x=ops.gelu(x,approximate=True); x=L.LayerNormalization()(x)
    return keras.Model(i,L.Dense(3)(L.GlobalAveragePooling1D()(x)))
""",
        ("activation.approximation", "layer_norm.epsilon"),
    ),
    (
        "three dimensions, two slips",
        "2x8x8x8",
        """
def build():
    return nn.Sequential(nn.Conv3d(2,4,3,padding=1),nn.BatchNorm3d(4,eps=1e-3),nn.LeakyReLU(0.2),nn.AvgPool3d(2),nn.Flatten(),nn.Linear(4*64,3))
""",
        """
def build():
    return keras.Sequential([keras.Input((8,8,8,2)),L.Conv3D(4,3,padding="same"),L.BatchNormalization(momentum=.9),L.LeakyReLU(),L.MaxPooling3D(2),L.Flatten(),L.Dense(3)])
""",
        ("activation.slope", "pool.kind"),
    ),
    (
        "order of a pixel shuffle",
        "3x6x6",
        """
class Net(nn.Module):
    def __init__(s):
        super().__init__(); s.a=nn.Conv2d(3,16,3,padding=1); s.ps=nn.PixelShuffle(2); s.b=nn.Conv2d(4,3,3,padding=1)
    def forward(s,x): return torch.tanh(s.b(F.relu(s.ps(s.a(x)))))

def build():
    return Net()
""",
        """
import tensorflow as tf
def build():
    i=keras.Input((6,6,3)); x=L.Conv2D(16,3,padding="same")(i); x=L.Lambda(lambda t: tf.nn.depth_to_space(t,2))(x); x=L.ReLU()(x)
    return keras.Model(i,L.Conv2D(3,3,padding="same",activation="tanh")(x))
""",
        ("channels.order",),
    ),
    (
        "transposed behind group normalisation",
        "3x10x10",
        """
class Net(nn.Module):
    def __init__(s):
        super().__init__(); s.c=nn.Conv2d(3,8,3,bias=False); s.g=nn.GroupNorm(4,8); s.d=nn.ConvTranspose2d(8,4,3,stride=2,padding=1,output_padding=1); s.o=nn.Conv2d(4,2,1)
    def forward(s,x): return s.o(F.elu(s.d(F.relu6(s.g(s.c(x))))))

def build():
    return Net()
""",
        """
def build():
    i=keras.Input((10,10,3)); x=L.Conv2D(8,3,use_bias=False)(i); x=L.GroupNormalization(2,epsilon=1e-5)(x); x=L.ReLU(6.)(x)
    x=L.Conv2DTranspose(4,3,strides=2,padding="same")(x); x=L.ELU()(x); return keras.Model(i,L.Conv2D(2,1)(x))
""",
        ("group_norm.groups", "padding.side"),
    ),
    (
        "a shared layer, added before",
        "3x8x8",
        """
class Net(nn.Module):
    def __init__(s):
        super().__init__(); s.i=nn.Conv2d(3,4,1); s.c=nn.Conv2d(4,4,3,padding=1); s.fc=nn.Linear(4,2)
    def forward(s,x):
        x=s.i(x)
        for _ in range(3): x=F.relu(s.c(x))+x
        return s.fc(F.adaptive_avg_pool2d(x,1).flatten(1))

def build():
    return Net()
""",
        """
class Net(keras.Model):
    def __init__(self):
        super().__init__(); self.i=L.Conv2D(4,1); self.c=L.Conv2D(4,3,padding="same"); self.fc=L.Dense(2)
    def call(self,x):
        x=self.i(x)
        for _ in range(3): x=ops.relu(self.c(x)+x)
        return self.fc(ops.mean(x,axis=[1,2]))

def build():
    return Net()
""",
        ("layer.order",),
    ),
    (
        "outputs swapped",
        "6",
        """
class Net(nn.Module):
    def __init__(s):
        super().__init__(); s.f=nn.Linear(6,5); s.m=nn.Linear(5,4); s.v=nn.Linear(5,4)
    def forward(s,x):
        h=F.softplus(s.f(x)); return s.m(h), torch.exp(s.v(h))

def build():
    return Net()
""",
        """
def build():
    i=keras.Input((6,)); h=L.Dense(5,activation="softplus")(i); m=L.Dense(4)(h); v=ops.exp(L.Dense(4)(h)); return keras.Model(i,[v,m])
""",
        ("outputs.order",),
    ),
    (
        "dense blocks, three slips",
        "3x8x8",
        """
class B(nn.Module):
    def __init__(s,c): super().__init__(); s.n=nn.BatchNorm2d(c); s.c=nn.Conv2d(c,4,3,padding=1,bias=False)
    def forward(s,x): return torch.cat([x,s.c(F.relu(s.n(x)))],1)
class Net(nn.Module):
    def __init__(s): super().__init__(); s.b=nn.Sequential(B(3),B(7),B(11)); s.h=nn.Linear(15,3)
    def forward(s,x): return F.log_softmax(s.h(s.b(x).amax((2,3))),dim=1)

def build():
    return Net()
""",
        """
def build():
    i=x=keras.Input((8,8,3))
    for k in range(3):
        y=L.BatchNormalization(epsilon=1e-5,momentum=.9)(x); y=L.ReLU()(y) if k!=1 else y; y=L.Conv2D(4,3,padding="same",use_bias=False)(y); x=L.Concatenate()([x,y] if k!=2 else [y,x])
    return keras.Model(i,ops.log_softmax(L.Dense(3)(L.GlobalAveragePooling2D()(x))))
""",
        ("layer.missing", "channels.order", "pool.kind"),
    ),
    (
        "reflected by a layer",
        "3x9x9",
        """
def build():
    return nn.Sequential(nn.ReflectionPad2d(1),nn.Conv2d(3,4,3),nn.InstanceNorm2d(4,affine=True),nn.Hardtanh(),nn.Upsample(scale_factor=2,mode="nearest"),nn.Conv2d(4,2,3,padding="same"),nn.Sigmoid())
""",
        """
def build():
    i=keras.Input((9,9,3)); x=L.Conv2D(4,3,padding="same")(i); x=L.GroupNormalization(-1,epsilon=1e-5)(x); x=ops.clip(x,-1,1); x=L.UpSampling2D(2)(x)
    return keras.Model(i,L.Conv2D(2,3,padding="same",activation="sigmoid")(x))
""",
        ("padding.mode",),
    ),
    (
        "epsilon of the last normalisation",
        "3x16x16",
        """
class Block(nn.Module):
    def __init__(s,c):
        super().__init__(); s.dw=nn.Conv2d(c,c,7,padding=3,groups=c); s.norm=nn.LayerNorm(c,eps=1e-6); s.p1=nn.Linear(c,4*c); s.p2=nn.Linear(4*c,c); s.gamma=nn.Parameter(torch.full((c,),.5))
    def forward(s,x):
        i=x; x=s.dw(x).permute(0,2,3,1); x=s.p2(F.gelu(s.p1(s.norm(x)))); return i+(s.gamma*x).permute(0,3,1,2)
class Net(nn.Module):
    def __init__(s): super().__init__(); s.stem=nn.Conv2d(3,8,4,4); s.b=Block(8); s.n=nn.LayerNorm(8,eps=1e-6); s.h=nn.Linear(8,3)
    def forward(s,x): return s.h(s.n(s.b(s.stem(x)).mean([-2,-1])))

def build():
    return Net()
""",
        """
class Block(L.Layer):
    def __init__(self,c):
        super().__init__(); self.dw=L.DepthwiseConv2D(7,padding="same"); self.norm=L.LayerNormalization(epsilon=1e-6); self.p1=L.Dense(4*c); self.p2=L.Dense(c); self.c=c
    def build(self,s): self.gamma=self.add_weight(shape=(self.c,),initializer="ones",name="gamma")
    def call(self,x): return x+self.gamma*self.p2(ops.gelu(self.p1(self.norm(self.dw(x))),approximate=False))
def build():
    i=keras.Input((16,16,3)); x=L.Conv2D(8,4,4)(i); x=Block(8)(x); x=L.GlobalAveragePooling2D()(x); return keras.Model(i,L.Dense(3)(L.LayerNormalization()(x)))
""",
        ("layer_norm.epsilon",),
    ),
    (
        "inverted residuals, two slips",
        "3x16x16",
        """
def cbr(i,o,k,s=1,g=1): return nn.Sequential(nn.Conv2d(i,o,k,s,k//2,groups=g,bias=False),nn.BatchNorm2d(o),nn.ReLU6(inplace=True))
class IR(nn.Module):
    def __init__(s,i,o,st,t):
        super().__init__(); h=i*t; s.conv=nn.Sequential(cbr(i,h,1),cbr(h,h,3,st,h),nn.Conv2d(h,o,1,bias=False),nn.BatchNorm2d(o)); s.res=st==1 and i==o
    def forward(s,x): return x+s.conv(x) if s.res else s.conv(x)
class Net(nn.Module):
    def __init__(s): super().__init__(); s.f=nn.Sequential(cbr(3,8,3,2),IR(8,8,1,2),IR(8,12,2,2)); s.c=nn.Sequential(nn.Dropout(.2),nn.Linear(12,4))
    def forward(s,x): return s.c(s.f(x).mean([2,3]))

def build():
    return Net()
""",
        """
bn=lambda x: L.BatchNormalization(epsilon=1e-5,momentum=.9)(x)
def cbr(x,o,k,s=1):
    if s==2: x=L.ZeroPadding2D(1)(x)
    return L.ReLU(6.)(bn(L.Conv2D(o,k,s,padding="valid" if s==2 else "same",use_bias=False)(x)))
def ir(x,o,s,t):
    y=cbr(x,x.shape[-1]*t,1)
    if s==2: y=L.ZeroPadding2D(((0,1),(0,1)))(y)
    y=L.ReLU(6.)(bn(L.DepthwiseConv2D(3,s,padding="valid" if s==2 else "same",use_bias=False)(y))); y=L.ReLU()(bn(L.Conv2D(o,1,use_bias=False)(y)))
    return x+y if s==1 and x.shape[-1]==o else y
def build():
    i=keras.Input((16,16,3)); x=cbr(i,8,3,2); x=ir(x,8,1,2); x=ir(x,12,2,2); x=L.GlobalAveragePooling2D()(x); return keras.Model(i,L.Dense(4)(L.Dropout(.2)(x)))
""",
        ("padding.side", "layer.missing"),
    ),
    (
        "a small U-Net, two slips",
        "3x16x16",
        """
class Net(nn.Module):
    def __init__(s):
        super().__init__(); s.d1=nn.Conv2d(3,4,3,padding=1); s.d2=nn.Conv2d(4,8,3,padding=1); s.up=nn.ConvTranspose2d(8,4,2,2); s.u=nn.Conv2d(8,4,3,padding=1); s.o=nn.Conv2d(4,1,1)
    def forward(s,x):
        a=F.relu(s.d1(x)); b=F.relu(s.d2(F.max_pool2d(a,2))); u=s.up(b); return torch.sigmoid(s.o(F.relu(s.u(torch.cat([a,u],dim=1)))))

def build():
    return Net()
""",
        """
class Net(keras.Model):
    def __init__(self):
        super().__init__(); self.d1=L.Conv2D(4,3,padding="same",activation="relu"); self.d2=L.Conv2D(8,3,padding="same",activation="relu"); self.up=L.Conv2DTranspose(4,2,2); self.u=L.Conv2D(4,3,padding="same",activation="relu"); self.o=L.Conv2D(1,1,activation="sigmoid"); self.p=L.AveragePooling2D(2)
    def call(self,x):
        a=self.d1(x); b=self.d2(self.p(a)); return self.o(self.u(ops.concatenate([self.up(b),a],axis=-1)))

def build():
    return Net()
""",
        ("pool.kind", "channels.order"),
    ),
    (
        "raw TensorFlow, three slips",
        "3x8x8",
        """
class Net(nn.Module):
    def __init__(s): super().__init__(); s.c=nn.Conv2d(3,4,3,stride=2,padding=1); s.b=nn.BatchNorm2d(4); s.f=nn.Linear(64,3)
    def forward(s,x): return s.f(torch.flatten(F.leaky_relu(s.b(s.c(x))),1))

def build():
    return Net()
""",
        """
import tensorflow as tf
class Net(tf.Module):
    def __init__(self):
        super().__init__(); g=tf.random.normal
        self.k=tf.Variable(g((3,3,3,4))); self.kb=tf.Variable(tf.zeros(4)); self.gamma=tf.Variable(tf.ones(4)); self.beta=tf.Variable(tf.zeros(4)); self.mean=tf.Variable(tf.zeros(4),trainable=False); self.var=tf.Variable(tf.ones(4),trainable=False); self.w=tf.Variable(g((64,3))); self.wb=tf.Variable(tf.zeros(3))
    def __call__(self,x,training=False):
        x=tf.nn.conv2d(x,self.k,2,"SAME")+self.kb
        if training:
            m,v=tf.nn.moments(x,[0,1,2]); self.mean.assign(.9*self.mean+.1*m); self.var.assign(.9*self.var+.1*v)
        else: m,v=self.mean,self.var
        x=tf.nn.batch_normalization(x,m,v,self.beta,self.gamma,1e-3)
        x=tf.nn.leaky_relu(x)
        return tf.reshape(x,[-1,64])@self.w+self.wb

def build():
    return Net()
""",
        ("padding.side", "batch_norm.epsilon", "activation.slope"),
    ),
    (
        "equal: gates",
        "6",
        """
class Net(nn.Module):
    def __init__(s): super().__init__(); s.a=nn.Linear(6,8); s.b=nn.Linear(8,8); s.n=nn.LayerNorm(8); s.o=nn.Linear(16,2)
    def forward(s,x):
        h=torch.tanh(s.a(x)); g=torch.sigmoid(s.b(h)); h=s.n(h*g+(1-g)*h.abs()); return s.o(torch.cat((h,h**2),-1))

def build():
    return Net()
""",
        """
def build():
    i=keras.Input((6,)); h=L.Dense(8,activation="tanh")(i); g=L.Dense(8,activation="sigmoid")(h); h=L.LayerNormalization(epsilon=1e-5)(h*g+(1-g)*ops.abs(h)); return keras.Model(i,L.Dense(2)(L.Concatenate()([h,ops.square(h)])))
""",
        (),
    ),
)
