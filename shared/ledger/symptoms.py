"""What people see when a port goes wrong. A symptom leads to the rows of the ledger that can be behind it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Symptom:
    """One thing that a person sees: a sentence, and the words that other people use for it."""

    sentence: str
    words: str = ""


SYMPTOMS: dict[str, Symptom] = {
    "outputs-differ": Symptom(
        "The same weights and the same input give other outputs in evaluation.",
        "predictions logits mismatch different results after converting loading weights inference not equal wrong "
        "converted large error discrepancy",
    ),
    "outputs-nearly-agree": Symptom(
        "The outputs agree to three or four digits and no further.",
        "close but not equal small difference tolerance allclose fails precision digits rounding 1e-3 1e-4",
    ),
    "shapes-differ": Symptom(
        "A layer's output has another size than in the other framework.",
        "output shape mismatch size off by one odd input dimension rows columns larger smaller feature map "
        "dimension expected got torch.Size deconvolution",
    ),
    "weights-do-not-fit": Symptom(
        "Weights cannot be copied because their shapes or their number differ.",
        "load set_weights state_dict shape mismatch kernel transpose layout bias expected got missing convert",
    ),
    "weights-fit-but-wrong": Symptom(
        "Weights were copied without an error, and the outputs are nowhere near each other.",
        "garbage nonsense random totally completely different predictions after loading weights into "
        "transpose permute order gates flatten square kernel silent outputs silently channels last first nchw "
        "nhwc cudnn lstm gru attention heads",
    ),
    "validation-much-worse": Symptom(
        "The validation loss is much worse than the training loss right after porting.",
        "val eval evaluation mode accuracy chance inference batch norm moving running statistics train good test bad",
    ),
    "single-images-differ": Symptom(
        "Predictions of one image differ from those of the same image in a batch, or fail.",
        "batch size one 1 single sample inference eval mode error expected more than 1 value per channel",
    ),
    "loss-becomes-nan": Symptom(
        "The loss becomes NaN or infinite in one framework alone.",
        "nan inf diverges explodes overflow log zero blows up unstable attention mask all padding ignore_index",
    ),
    "first-loss-differs": Symptom(
        "The loss of the first step differs although the outputs agree.",
        "loss value different scale factor larger smaller same predictions reduction mean sum classes weights "
        "ignore_index from_logits softmax",
    ),
    "loss-does-not-fall": Symptom(
        "The loss stays near the logarithm of the number of classes, or falls far too slowly.",
        "stuck plateau does not learn not converge constant chance accuracy ln 2.3 0.69 not decreasing "
        "vanishing softmax twice",
    ),
    "learns-slower": Symptom(
        "One framework learns more slowly with the same optimizer and learning rate.",
        "convergence slower training speed epochs same hyperparameters optimizer lr behind different curve "
        "higher error underperforms",
    ),
    "accuracy-lower": Symptom(
        "The ported model ends at a lower accuracy, and nothing looks wrong.",
        "worse final result cannot reproduce paper lower score generalisation points percent",
    ),
    "gradients-differ": Symptom(
        "The outputs agree and the gradients, or the weights after one step, do not.",
        "backward grad update one step parameters differ after optimizer step",
    ),
    "overfits-more": Symptom(
        "One framework overfits more, or its weights grow larger.",
        "regularisation weight decay l2 dropout penalty train accuracy high validation low weights norm",
    ),
    "reported-loss-differs": Symptom(
        "The reported loss or metric differs although the model is the same.",
        "metric history progress bar average epoch accuracy auc printed logged score sklearn per batch "
        "discrepancy manual calculation evaluate predict validation",
    ),
    "early-epochs-differ": Symptom(
        "The first epochs differ, and later ones are alike.",
        "initialisation initial weights start random init warm up first epoch begins",
    ),
    "own-images-wrong": Symptom(
        "The test accuracy is fine, and predictions of your own images are wrong.",
        "preprocessing real photos deploy production file jpeg png resize scale rgb bgr normalise rotated",
    ),
    "borders-differ": Symptom(
        "Outputs differ at the border of the image alone, or are shifted by a pixel.",
        "edge padding shift offset segmentation upsampling misaligned boundary one pixel "
        "black bars top left corner half resize deconvolution alignment",
    ),
    "sequence-ends-differ": Symptom(
        "Outputs of sequences differ at padded positions, or at the last step.",
        "rnn lstm gru mask padding token variable length hidden state last output time steps masked zeros "
        "bidirectional pack_padded_sequence mask_zero",
    ),
    "only-one-fails": Symptom(
        "One framework raises an error where the other computes something.",
        "exception refuses not supported valueerror runtimeerror stride same works in",
    ),
    "parameter-counts-differ": Symptom(
        "The two models have different numbers of parameters.",
        "summary count trainable non-trainable total params buffers",
    ),
    "fine-tuning-fails": Symptom(
        "Fine-tuning a model whose layers are frozen makes it worse, or changes what was frozen.",
        "transfer learning pretrained trainable false requires_grad frozen batch norm embedding updated",
    ),
    "rate-off-by-one": Symptom(
        "The learning rate changes one epoch or one step earlier in one framework.",
        "schedule scheduler decay reduce on plateau cosine warmup step early late restart callback",
    ),
    "runs-differ": Symptom(
        "Two runs with the same seed differ.",
        "not reproducible nondeterministic random seed shuffle determinism varying results gpu",
    ),
    "gpu-differs": Symptom(
        "Results on a GPU differ from those on the CPU in the third or fourth digit.",
        "cuda tf32 tensor cores precision half float16 bfloat16 mixed precision amp",
    ),
    "epoch-lengths-differ": Symptom(
        "The number of steps in an epoch, or the images in it, differ.",
        "last batch drop_last steps per epoch dataset length validation split order shuffle buffer",
    ),
}
