"""The report's three networks (§4, Appendix A): functions that return a `keras.Model`.

What the report states and what had to be chosen where it is silent:

=========================  =======================================  ==============================================
part                       the report                               here
=========================  =======================================  ==============================================
input                      48x48 grey, scaled to 0..1 (§3)          uint8 (48, 48, 1), scaled by the first layer
filter size                3 (§4)                                   3
stride                     "the stride is 2" (§4)                   `conv_stride` 1, pooling 2; `conv_stride=2`:
                                                                    the words taken literally
normalisation              after each layer but the output (§4)     before the ReLU, momentum 0.9
LeNet-like                 3 convolutions, 2 dense, max pooling     32, 64, 128 maps; dense 128
                           after every convolution (§4.1)
VGGNet-like                10 layers, more layers and maps (§4.2)   2 convolutions each of 32, 64, 128, 256 maps,
                                                                    pooling after each pair; dense 256
ResNet-like                VGGNet-like with shortcuts, projected    a shortcut round each pair; 1x1 convolution
                           by a 1x1 convolution (§4.3)              where the number of maps changes
padding, bias, activation  silent                                   "same", none before a normalisation, ReLU
output                     7-way softmax (§4.1)                     the same
=========================  =======================================  ==============================================
"""

from fer_utils.device import keras
from fer_utils.models.layers import convolution, normalisation, pooling, projection, scaled, scaled_input, softmax

layers = keras.layers


def lenet_like(width=1.0, conv_stride=1, augmentation=None):
    """Builds the baseline of 5 weighted layers (report §4.1, Figure 8).

    `width` scales the number of maps of every layer; `augmentation` is a layer that changes the scaled images in
    training; `conv_stride` is the stride of every 3x3 convolution.
    """
    inputs, x = scaled_input(augmentation)
    for number, maps in enumerate((32, 64, 128), start=1):
        x = convolution(x, scaled(maps, width), conv_stride, f"conv{number}")
        x = layers.ReLU(name=f"conv{number}_relu")(x)
        x = pooling(x, f"pool{number}")
    return _classifier(inputs, x, scaled(128, width), "lenet_like")


def vgg_like(width=1.0, conv_stride=1, augmentation=None):
    """Builds the plain network of 10 weighted layers (report §4.2, Figure 9); arguments as for `lenet_like`."""
    return _paired_network(width, conv_stride, augmentation, shortcuts=False, name="vgg_like")


def resnet_like(width=1.0, conv_stride=1, augmentation=None):
    """Builds `vgg_like` with a shortcut round each pair of convolutions (§4.3, Figures 2 and 10; He et al. 2016)."""
    return _paired_network(width, conv_stride, augmentation, shortcuts=True, name="resnet_like")


def _paired_network(width, conv_stride, augmentation, shortcuts, name):
    inputs, x = scaled_input(augmentation)
    for block, maps in enumerate((32, 64, 128, 256), start=1):
        maps = scaled(maps, width)
        first, second = f"conv{2 * block - 1}", f"conv{2 * block}"
        entrance = x
        x = convolution(x, maps, conv_stride, first)
        x = layers.ReLU(name=f"{first}_relu")(x)
        x = convolution(x, maps, conv_stride, second)
        if shortcuts:
            x = layers.Add(name=f"add{block}")([x, projection(entrance, maps, conv_stride**2, f"shortcut{block}")])
        x = layers.ReLU(name=f"{second}_relu")(x)
        x = pooling(x, f"pool{block}")
    return _classifier(inputs, x, scaled(256, width), name)


def _classifier(inputs, x, units, name):
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(units, use_bias=False, name="dense")(x)
    x = layers.ReLU(name="dense_relu")(normalisation(x, "dense"))
    return keras.Model(inputs, softmax(x), name=name)
