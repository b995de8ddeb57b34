/** Run before a program, this takes the device away, as a driver's reset does, once while a judge looks at a sweep's pictures. */
const { requestDevice } = GPUAdapter.prototype;
const { submit } = GPUQueue.prototype;
const deviceOf = new WeakMap<GPUQueue, GPUDevice>();
let lost = false;

GPUAdapter.prototype.requestDevice = async function (descriptor) {
  const device = await requestDevice.call(this, descriptor);
  deviceOf.set(device.queue, device);
  return device;
};

GPUQueue.prototype.submit = function (buffers) {
  if (!lost && new Error().stack!.includes("judgements")) {
    lost = true;
    console.error("the judge's device is lost");
    deviceOf.get(this)!.destroy();
  }
  return submit.call(this, buffers);
};
