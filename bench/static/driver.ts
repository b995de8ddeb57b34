/**
 * Mesa's compiler for AMD's GPUs on a machine without one.
 *
 * With RADV_FORCE_FAMILY, RADV makes a device of a chip that is not there and compiles for it. That device has no memory,
 * queues or fences; a Vulkan layer (layer.c, compiled here) says that all of these work, so that a WebGPU implementation
 * opens it. Nothing is ever executed.
 */
import { join } from "node:path";
import { isFile } from "../../src/cli/files.ts";
import { UserError } from "../../src/formats/user_error.ts";

/** The driver as Debian's mesa-vulkan-drivers names it; one file an architecture. */
const drivers = ["x86_64", "aarch64"].map((name) => `/usr/share/vulkan/icd.d/radeon_icd.${name}.json`);

/** What to install where something is missing. */
const wayOut = "on Debian: apt-get install gcc libc6-dev libvulkan-dev mesa-vulkan-drivers";

/** Mesa's driver file, once everything that is needed is there. @throws UserError that says what to install. */
export function findDriver(os: string = Deno.build.os): string {
  if (os !== "linux") throw new UserError(`kernels are compiled with Mesa's RADV, which is for Linux; this is ${os}`);
  const driver = drivers.find(isFile);
  if (!driver) throw new UserError(`Mesa's Vulkan driver for AMD is missing; ${wayOut}`);
  return driver;
}

/**
 * Compiles the layer into a folder. @throws UserError that says what to install.
 * @returns What the environment of a program has to hold besides the chip, RADV_FORCE_FAMILY.
 */
export async function buildDriver(folder: string): Promise<Record<string, string>> {
  const driver = findDriver();
  const name = "VK_LAYER_phosphene_no_hardware";
  const functions = { vkGetInstanceProcAddr: "layer_instance", vkGetDeviceProcAddr: "layer_device" };
  const layer = {
    name,
    type: "GLOBAL",
    library_path: "./layer.so",
    api_version: "1.3.0",
    implementation_version: "1",
    description: "Memory, queues and fences for a driver without hardware",
    functions,
  };
  await Deno.writeTextFile(join(folder, "layer.json"), JSON.stringify({ file_format_version: "1.0.0", layer }));
  await compileLayer(join(import.meta.dirname!, "layer.c"), join(folder, "layer.so"));
  return {
    VK_ICD_FILENAMES: driver,
    VK_DRIVER_FILES: driver,
    VK_LAYER_PATH: folder,
    VK_INSTANCE_LAYERS: name,
    DENO_WEBGPU_BACKEND: "vulkan",
    XDG_RUNTIME_DIR: folder,
    MESA_SHADER_CACHE_DISABLE: "true",
    RADV_DEBUG: "shaders,shaderstats,nocache",
    NO_COLOR: "1",
  };
}

async function compileLayer(source: string, target: string): Promise<void> {
  const args = ["-shared", "-fPIC", "-O1", "-o", target, source];
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command("gcc", { args, stdin: "null" }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError(`gcc is missing; ${wayOut}`);
  }
  if (output.success) return;
  const said = new TextDecoder().decode(output.stderr);
  const [reason = "gcc failed"] = /error: .*/.exec(said) ?? [];
  if (/vulkan\/\S+: No such file/.test(said)) {
    throw new UserError(`Vulkan's headers are missing; ${wayOut}`);
  }
  throw new UserError(`gcc cannot compile the Vulkan layer: ${reason}`);
}
