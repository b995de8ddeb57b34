/**
 * The networks that `deno task get` knows: who publishes which files, under which terms, and how they become a model.
 *
 * Addresses and hashes are the publishers' own: BVLC's model zoo (SHA-1 in each readme), OpenCV's list of test models
 * (SHA-1 of ResNet-50 and SqueezeNet), and that of mexopencv, OpenCV's interface for MATLAB (SHA-1 of the prototxts; those of
 * CaffeNet and AlexNet were computed again). Apache MXNet keeps copies of some, with the same hashes in its list
 * (tools/caffe_converter/model_zoo.py). A file without a hash is checked only by being what the converter understands,
 * and `get` says so; it is fetched over https.
 */

/** A file to fetch. */
export interface RemoteFile {
  url: string;
  /** Further addresses of the same bytes, for when the first fails; only with a hash. */
  elsewhere?: string[];
  /** What it is called here where the address does not end in a name. */
  name?: string;
  /** In hexadecimal; nobody has published one where it is left out. */
  sha1?: string;
  /** Hosts beside the address's own that its publisher sends one on to. */
  hosts?: string[];
  /** The most bytes that it may have. */
  most: number;
  /** Where the address is an archive: what is taken out of it, by the end of its path in there. */
  entry?: string;
}

/** A network that can be fetched. */
export interface KnownNetwork {
  summary: string;
  /** One line, shown before anything is fetched. */
  licence: string;
  prototxt: RemoteFile;
  caffemodel: RemoteFile;
  /** What pixels lose, in the order BGR. */
  mean: number[];
  /** Side that pictures get before a classifier's input is cut from their middle. */
  resize?: number;
  /** Whether whole pictures get it, whatever their sides, in place of their centre square: convert_imageset's way. */
  warp?: true;
  /** Of a generator: the encoder's layer that it inverts. */
  code?: string;
  /** Its units are ILSVRC-2012's, whose names are here already. */
  ilsvrc?: boolean;
}

const MEBIBYTE = 2 ** 20;

const prototxt = (url: string, sha1?: string, elsewhere: string[] = []): RemoteFile => ({
  url,
  sha1,
  elsewhere,
  most: MEBIBYTE,
});

/** Apache MXNet's copy of a file of Caffe's. */
const mxnet = (path: string) => `https://apache-mxnet.s3-accelerate.dualstack.amazonaws.com/caffe/models/${path}`;

const bvlcLicence = "released for unrestricted use (BVLC); trained on ImageNet, whose images are for research only";

/** A network of BVLC's model zoo, of which MXNet may have a copy. */
function bvlc(
  folder: string,
  summary: string,
  { prototxtSha1, caffemodelSha1, copied = false }: { prototxtSha1: string; caffemodelSha1: string; copied?: boolean },
): KnownNetwork {
  const caffemodel = `dl.caffe.berkeleyvision.org/${folder}.caffemodel`;
  const copy = (file: string) => copied ? [mxnet(`${folder}/${file}`)] : [];
  return {
    summary,
    licence: bvlcLicence,
    prototxt: prototxt(
      `https://raw.githubusercontent.com/BVLC/caffe/master/models/${folder}/deploy.prototxt`,
      prototxtSha1,
      copy("deploy.prototxt"),
    ),
    caffemodel: {
      url: `http://${caffemodel}`,
      elsewhere: [`https://${caffemodel}`, ...copy(`${folder}.caffemodel`)],
      sha1: caffemodelSha1,
      most: 512 * MEBIBYTE,
    },
    mean: [104, 117, 123],
    resize: 256,
    warp: true,
    ilsvrc: true,
  };
}

const deepsimArchive =
  "https://lmb.informatik.uni-freiburg.de/resources/binaries/arxiv2016_alexnet_inversion_with_gans/" +
  "release_deepsim_v0.zip";

/** A generator of Dosovitskiy and Brox 2016. All of them are in one archive. */
function deepsim(layer: string): KnownNetwork {
  const entry = (file: string) => ({ url: deepsimArchive, entry: `${layer}/${file}`, most: 4096 * MEBIBYTE });
  return {
    summary: `the generator that inverts CaffeNet's ${layer} (Dosovitskiy and Brox 2016)`,
    licence: "for research, not for commercial use without the authors' consent (University of Freiburg)",
    prototxt: entry("generator.prototxt"),
    caffemodel: entry("generator.caffemodel"),
    mean: [104, 117, 123],
    code: layer,
  };
}

/** A file of SqueezeNet where its repository was before, as OpenCV fetches it. */
const deepscale = (file: string) =>
  `https://raw.githubusercontent.com/DeepScale/SqueezeNet/b5c3f1a23713c8b3fd7b801d229f6b04c64374a5/SqueezeNet_v1.1/${file}`;

const placesArchive = (entry: string): RemoteFile => ({
  url: "https://places.csail.mit.edu/model/placesCNN.tar.gz",
  entry,
  most: 1024 * MEBIBYTE,
});

/** Every network by the name that `get` calls it. */
export const knownNetworks: Readonly<Record<string, KnownNetwork>> = {
  caffenet: bvlc("bvlc_reference_caffenet", "CaffeNet, the classifier and encoder of the paper", {
    prototxtSha1: "6a40fd8b77233afee8fd525ce59bb4ccaae78d58",
    caffemodelSha1: "4c8d77deb20ea792f84eb5e6d0a11ca0a8660a46",
  }),
  alexnet: bvlc("bvlc_alexnet", "AlexNet", {
    prototxtSha1: "cb77655eb4db32c9c47699c6050926f9e0fc476a",
    caffemodelSha1: "9116a64c0fbe4459d18f4bb6b56d647b63920377",
    copied: true,
  }),
  googlenet: bvlc("bvlc_googlenet", "GoogLeNet", {
    prototxtSha1: "7060345c8012294baa60eeb5901d2d3fd89d75fc",
    caffemodelSha1: "405fc5acd08a3bb12de8ee5e23a96bec22f08204",
    copied: true,
  }),
  resnet50: {
    summary: "ResNet-50 (He et al. 2015)",
    licence: "MIT (Kaiming He et al.); trained on ImageNet, whose images are for research only",
    prototxt: prototxt(
      "https://raw.githubusercontent.com/KaimingHe/deep-residual-networks/master/prototxt/ResNet-50-deploy.prototxt",
    ),
    caffemodel: {
      url: "https://onedrive.live.com/download?cid=4006CBB8476FF777&resid=4006CBB8476FF777%2117895&authkey=" +
        "%21AAFW2%2DFVoxeVRck",
      elsewhere: [mxnet("resnet/ResNet-50-model.caffemodel")],
      name: "ResNet-50-model.caffemodel",
      hosts: ["my.microsoftpersonalcontent.com"],
      sha1: "b7c79ccc21ad0479cddc0dd78b1d20c4d722908d",
      most: 512 * MEBIBYTE,
    },
    mean: [103.939, 116.779, 123.68],
    resize: 256,
    ilsvrc: true,
  },
  squeezenet: {
    summary: "SqueezeNet 1.1 (Iandola et al. 2016)",
    licence: "BSD (DeepScale); trained on ImageNet, whose images are for research only",
    prototxt: prototxt(
      "https://raw.githubusercontent.com/forresti/SqueezeNet/master/SqueezeNet_v1.1/deploy.prototxt",
      "c226bbaaa4d83e2a3d3727618091e897e5f2e3aa",
      [deepscale("deploy.prototxt")],
    ),
    caffemodel: {
      url: "https://raw.githubusercontent.com/forresti/SqueezeNet/master/SqueezeNet_v1.1/squeezenet_v1.1.caffemodel",
      elsewhere: [deepscale("squeezenet_v1.1.caffemodel")],
      sha1: "3397f026368a45ae236403ccc81cfcbe8ebe1bd0",
      most: 64 * MEBIBYTE,
    },
    mean: [104, 117, 123],
    resize: 256,
    warp: true,
    ilsvrc: true,
  },
  places205: {
    summary: "Places205-AlexNet, which names scenes (Zhou et al. 2014)",
    licence: "Creative Commons Attribution (MIT Places)",
    prototxt: placesArchive("places205CNN_deploy.prototxt"),
    caffemodel: placesArchive("places205CNN_iter_300000.caffemodel"),
    mean: [105.487823486, 113.741088867, 116.060394287],
    resize: 256,
    warp: true,
  },
  "deepsim-fc6": deepsim("fc6"),
  "deepsim-fc7": deepsim("fc7"),
  "deepsim-pool5": deepsim("pool5"),
};
