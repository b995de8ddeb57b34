/** Run before a program, this takes its first device away, as a driver's reset does, and the next one too. */
const submits = [8, 3];
const { requestDevice } = GPUAdapter.prototype;
const { submit } = GPUQueue.prototype;
const leftOf = new WeakMap<GPUQueue, { device: GPUDevice; left: number }>();

GPUAdapter.prototype.requestDevice = async function (descriptor) {
  const device = await requestDevice.call(this, descriptor);
  const left = submits.shift();
  if (left !== undefined) leftOf.set(device.queue, { device, left });
  return device;
};

GPUQueue.prototype.submit = function (buffers) {
  const own = leftOf.get(this);
  if (own && own.left-- === 0) own.device.destroy();
  return submit.call(this, buffers);
};
