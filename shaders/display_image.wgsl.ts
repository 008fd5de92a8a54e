/**
 * Draws one image of a batch as a picture: pixel = xx + mean, in the order red, green, blue.
 *   xx [N, C, H, W] f32, 0..255 with the mean subtracted
 * One fragment, one pixel, bilinear between the image's own pixels.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { record, wholeSurface } from './display_frame.wgsl.ts';

/** image: index in the batch; red, green, blue: planes of the network's channels; mean*: the mean of each, 0..255. */
export const IMAGE_VIEW = [
  'image', 'channels', 'height', 'width', 'across', 'down', 'red', 'green', 'blue', 'meanRed', 'meanGreen', 'meanBlue',
] as const;

export function displayImage(): string {
  return wgsl`
${record('View', IMAGE_VIEW)}
@group(0) @binding(0) var<storage, read> xx: array<f32>;
@group(0) @binding(1) var<storage, read> view: View;
${wholeSurface}

fn texel(p: vec2i) -> vec3f {
  let size = vec2i(i32(view.width), i32(view.height));
  let q = clamp(p, vec2i(0), size - 1);
  let plane = u32(size.x * size.y);
  let i = u32(view.image * view.channels) * plane + u32(q.y * size.x + q.x);
  let colour = vec3f(xx[i + u32(view.red) * plane], xx[i + u32(view.green) * plane], xx[i + u32(view.blue) * plane]);
  return clamp((colour + vec3f(view.meanRed, view.meanGreen, view.meanBlue)) / 255.0, vec3f(0), vec3f(1));
}

@fragment
fn pixel(@builtin(position) at: vec4f) -> @location(0) vec4f {
  let p = at.xy * vec2f(view.width / view.across, view.height / view.down) - 0.5;
  let corner = vec2i(floor(p));
  let f = fract(p);
  let top = mix(texel(corner), texel(corner + vec2i(1, 0)), f.x);
  let bottom = mix(texel(corner + vec2i(0, 1)), texel(corner + vec2i(1, 1)), f.x);
  return vec4f(mix(top, bottom, f.y), 1.0);
}`;
}
