"""Both optimizers of the reference, from their formulas."""

import numpy as np

Arrays = dict[str, np.ndarray]


def trainable(parameters: Arrays) -> list[str]:
    """Return all parameters except the moving statistics."""
    return [name for name in parameters if "/moving_" not in name]


class AdamSteps:
    """Kingma and Ba 2015, algorithm 1; with weight decay coupled, or decoupled as in Loshchilov and Hutter 2019."""

    def __init__(
        self,
        parameters: Arrays,
        lr: float,
        beta1: float,
        beta2: float,
        epsilon: float,
        weight_decay: float = 0.0,
        decoupled: bool = False,
    ) -> None:
        self.p, self.t = parameters, 0
        self.weight_decay, self.decoupled = weight_decay, decoupled
        self.lr, self.beta1, self.beta2, self.epsilon = lr, beta1, beta2, epsilon
        self.state = {f"{k}/{s}": np.zeros_like(parameters[k]) for k in trainable(parameters) for s in "mv"}

    def step(self, gradients: Arrays) -> None:
        self.t += 1
        for name, gradient in gradients.items():
            coupled = 0.0 if self.decoupled else self.weight_decay
            g = gradient + coupled * self.p[name] if coupled else gradient
            if self.decoupled:
                self.p[name] = self.p[name] * (1 - self.lr * self.weight_decay)
            m = self.beta1 * self.state[f"{name}/m"] + (1 - self.beta1) * g
            v = self.beta2 * self.state[f"{name}/v"] + (1 - self.beta2) * g**2
            self.state[f"{name}/m"], self.state[f"{name}/v"] = m, v
            m_hat, v_hat = m / (1 - self.beta1**self.t), v / (1 - self.beta2**self.t)
            self.p[name] = self.p[name] - self.lr * m_hat / (np.sqrt(v_hat) + self.epsilon)


class MomentumSteps:
    """v <- momentum v + g; p <- p - lr v; with coupled weight decay."""

    def __init__(self, parameters: Arrays, lr: float, momentum: float, weight_decay: float = 0.0) -> None:
        self.p, self.t = parameters, 0
        self.weight_decay = weight_decay
        self.lr, self.momentum = lr, momentum
        self.state = {f"{k}/velocity": np.zeros_like(parameters[k]) for k in trainable(parameters)}

    def step(self, gradients: Arrays) -> None:
        self.t += 1
        for name, gradient in gradients.items():
            g = gradient + self.weight_decay * self.p[name] if self.weight_decay else gradient
            velocity = self.momentum * self.state[f"{name}/velocity"] + g
            self.state[f"{name}/velocity"] = velocity
            self.p[name] = self.p[name] - self.lr * velocity
