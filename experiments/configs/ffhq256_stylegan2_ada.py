"""StyleGAN2-ADA (Karras et al. 2020, arXiv:2006.06676) on few faces: `ffhq256_stylegan2` with adaptive augmentation.

python -m experiments.train_gan --config=experiments/configs/ffhq256_stylegan2_ada.py --workdir=runs/ffhq256_stylegan2_ada \
  --config.dataset=folder:/data/ffhq2k

The paper's FID with 2,000 images is 16.5, without augmentation 78.6 (table 1). About four days on eight V100s. It was not run
here.
"""

from experiments.configs import ffhq256_stylegan2


def get_config():
    config = ffhq256_stylegan2.get_config()
    config.augment = "ada"
    return config
