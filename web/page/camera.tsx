/** A photograph by this machine's camera: seen live, then taken, and the camera is let go. */
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { take } from "./deeds.ts";
import { attempt, failure } from "./state.ts";

/** What a browser says of a camera that it does not give, in words. */
const reasons: Record<string, string> = {
  NotAllowedError: "The browser was not allowed to use the camera.",
  NotFoundError: "There is no camera.",
  NotReadableError: "The camera is in use by another program.",
};

/** Pictures that it has taken, for their names. */
let taken = 0;

/** The button, and the camera while it is on. */
export function Camera() {
  const stream = useSignal<MediaStream | undefined>(undefined);
  const video = useRef<HTMLVideoElement>(null);
  const stop = () => {
    stream.value?.getTracks().forEach((track) => track.stop());
    stream.value = undefined;
  };
  useEffect(() => {
    if (video.current && stream.value) video.current.srcObject = stream.value;
  }, [stream.value]);
  useEffect(() => stop, []);
  if (!navigator.mediaDevices?.getUserMedia) return null;
  const start = async () => {
    try {
      stream.value = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch (error) {
      const { name, message } = error as Error;
      failure.value = reasons[name] ?? `The camera cannot be used: ${message}`;
    }
  };
  const shoot = async () => {
    const { videoWidth, videoHeight } = video.current!;
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: videoWidth, height: videoHeight });
    canvas.getContext("2d")!.drawImage(video.current!, 0, 0);
    const file = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
    stop();
    if (file) await take([{ path: `camera ${++taken}.png`, file }]);
  };
  if (!stream.value) {
    return (
      <div class="buttons">
        <button type="button" onClick={() => void start()}>Take one with the camera</button>
      </div>
    );
  }
  return (
    <div class="camera">
      <video ref={video} autoplay muted playsInline aria-label="What the camera sees" />
      <div class="buttons">
        <button type="button" class="main" onClick={() => void attempt("", shoot)}>Take it</button>
        <button type="button" onClick={stop}>Put the camera away</button>
      </div>
    </div>
  );
}
