"""StyleGAN2 (Karras et al. 2020, arXiv:1912.04958) on MNIST with labels, like `cifar10_stylegan2_cpu`.

python -m experiments.train_gan --config=experiments/configs/mnist_stylegan2.py --workdir=runs/mnist_stylegan2

Images are also clipped during training: see the generator's argument ``bounded``.

Expected results on in-domain features over three seeds (docs/results.md): FID 3.26 ± 0.39, precision 0.91, recall 0.60, CAS
0.972. Training takes twenty minutes on one core with --config.precision=mixed_bfloat16.
"""

from experiments.configs import cifar10_stylegan2_cpu


def get_config():
    config = cifar10_stylegan2_cpu.get_config()
    config.dataset = "mnist"
    config.steps = 4500
    config.generator.bounded = True
    return config
