"""StyleGAN2-ADA (Karras et al. 2020, arXiv:2006.06676) on few faces: `ffhq256_stylegan2` with adaptive augmentation.

python -m experiments.train_gan --config=experiments/configs/ffhq256_stylegan2_ada.py --workdir=runs/ffhq256_stylegan2_ada \
  --config.dataset=folder:/data/ffhq2k

With 2,000 images the paper reports an FID of 16.5, and 78.6 without augmentation (table 1). Training takes about four days on
eight V100s. Not yet reproduced.
"""

from experiments.configs import ffhq256_stylegan2


def get_config():
    config = ffhq256_stylegan2.get_config()
    config.augment = "ada"
    config.mirror = False  # only the training with all images has their mirror images too
    return config
