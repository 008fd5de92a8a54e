/** ONNX Resize and Upsample in all their versions: what they become, and what is refused by name. */
import { describe, expect, it } from 'vitest';
import { floats, integers, op, tensorProto, type NodeInput } from './onnx-builder.ts';
import { errorOf, last, load } from './onnx-loading.ts';

const scales = (...values: number[]) => tensorProto('s', [values.length], Float32Array.from(values));
const empty = floats('none', 0);

describe('ONNX Upsample', () => {
  it.each<[number, NodeInput]>([
    [7, op('Upsample', { scales: { floats: [1, 1, 2, 3] } })],
    [9, op('Upsample', { mode: 'nearest' }, ['x', 's'])],
    [1, op('Upsample', { height_scale: { float: 2 }, width_scale: { float: 3 } })],
  ])('version %i', (opset, node) => {
    const { op: kind, attributes } = last([node], { opset, constants: [scales(1, 1, 2, 3)] });
    expect(kind).toBe('resize');
    expect(attributes).toEqual({ mode: 'nearest', coordinates: 'asymmetric', rounding: 'floor', size: [12, 18], scale: [2, 3] });
  });

  it('keeps linear, refuses what it does not know', () => {
    expect(last([op('Upsample', { mode: 'linear' }, ['x', 's'])], { opset: 9, constants: [scales(1, 1, 2, 2)] }).attributes.mode).toBe('linear');
    expect(errorOf([op('Upsample', { mode: 'cubic' }, ['x', 's'])], { opset: 9, constants: [scales(1, 1, 2, 2)] }).message).toMatch(/mode 'cubic'/);
  });
});

describe('ONNX Resize', () => {
  const resized = (attributes: NodeInput['attributes'], opset = 19, ...more: Uint8Array[]) =>
    last([op('Resize', attributes, ['x', 'none', 's'])], { opset, constants: [empty, scales(1, 1, 2, 3), ...more] }).attributes;
  const sized = (attributes: NodeInput['attributes'], sizes: number[], opset = 19) =>
    last([op('Resize', attributes, ['x', '', '', 'z'])], { opset, constants: [integers('z', ...sizes)] });

  it('version 10 scales without a shift, and rounds up where it shrinks', () => {
    const constants = (...values: number[]) => ({ opset: 10, constants: [scales(...values)] });
    expect(last([op('Resize', {}, ['x', 's'])], constants(1, 1, 2, 2)).attributes).toEqual({
      mode: 'nearest', coordinates: 'asymmetric', rounding: 'floor', size: [12, 12], scale: [2, 2],
    });
    expect(last([op('Resize', {}, ['x', 's'])], constants(1, 1, 0.5, 0.5)).attributes).toMatchObject({ rounding: 'ceil', size: [3, 3], scale: [0.5, 0.5] });
    const mixed = errorOf([op('Resize', {}, ['x', 's'])], constants(1, 1, 1.5, 0.5));
    expect(mixed).toMatchObject({ code: 'model-unsupported', message: expect.stringMatching(/the scales \[1,1,1.5,0.5\], which shrink one axis and stretch another/) as string });
    expect(last([op('Resize', { mode: 'linear' }, ['x', 's'])], constants(1, 1, 1.5, 0.5)).attributes).toMatchObject({ size: [9, 3] });
  });

  it('takes scales or sizes, of all axes or of some', () => {
    expect(resized({})).toEqual({ mode: 'nearest', coordinates: 'half_pixel', rounding: 'round_prefer_floor', size: [12, 18], scale: [2, 3] });
    expect(sized({ mode: 'linear', coordinate_transformation_mode: 'align_corners' }, [1, 4, 9, 7]).attributes).toEqual({
      mode: 'linear', coordinates: 'align_corners', rounding: 'round_prefer_floor', size: [9, 7], scale: [0, 0],
    });
    expect(sized({ axes: [3, 2] }, [8, 9]).attributes).toMatchObject({ size: [9, 8], scale: [0, 0] });
    expect(sized({}, [1, 4, 6, 6]).op).toBe('identity');
  });

  it('keeps the aspect ratio on demand', () => {
    expect(sized({ axes: [2, 3], keep_aspect_ratio_policy: 'not_larger' }, [9, 12]).attributes).toMatchObject({ size: [9, 9], scale: [1.5, 1.5] });
    expect(sized({ axes: [2, 3], keep_aspect_ratio_policy: 'not_smaller' }, [9, 12]).attributes).toMatchObject({ size: [12, 12], scale: [2, 2] });
  });

  it.each(['half_pixel', 'asymmetric', 'align_corners', 'pytorch_half_pixel'])('knows the coordinates %s', (mode) => {
    expect(resized({ coordinate_transformation_mode: mode }).coordinates).toBe(mode);
  });

  it('knows two more kinds of coordinates by what they come to', () => {
    expect(resized({ coordinate_transformation_mode: 'tf_half_pixel_for_nn', nearest_mode: 'floor' }, 11)).toMatchObject({ coordinates: 'half_pixel', rounding: 'round_prefer_ceil' });
    expect(resized({ coordinate_transformation_mode: 'half_pixel_symmetric', mode: 'linear' }).coordinates).toBe('half_pixel');
  });

  it.each(['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'])('knows the rounding %s', (mode) => {
    expect(resized({ nearest_mode: mode }).rounding).toBe(mode);
  });

  it('passes over what other modes read', () => {
    const more = { cubic_coeff_a: { float: -0.5 }, exclude_outside: 1, extrapolation_value: { float: 9 }, antialias: 1 };
    expect(resized({ mode: 'linear', ...more }).mode).toBe('linear');
  });

  it('stretches signals', () => {
    const network = load([op('Resize', { mode: 'linear' }, ['x', '', 's'])], { inputs: { x: [1, 4, 5] }, constants: [scales(1, 1, 2)], opset: 13 });
    expect(network.nodes.map(({ op: kind, attributes }) => [kind, attributes.size ?? attributes.shape])).toEqual([
      ['reshape', [0, 4, 1, 5]],
      ['resize', [1, 10]],
      ['reshape', [0, 4, 10]],
    ]);
  });

  it.each<[NodeInput['attributes'], RegExp]>([
    [{ mode: 'cubic' }, /mode 'cubic' is not supported, only nearest and linear/],
    [{ coordinate_transformation_mode: 'tf_crop_and_resize' }, /coordinate_transformation_mode 'tf_crop_and_resize'/],
    [{ coordinate_transformation_mode: 'tf_half_pixel_for_nn', mode: 'linear' }, /'tf_half_pixel_for_nn'/],
    [{ nearest_mode: 'up' }, /nearest_mode 'up'/],
    [{ flavour: 1 }, /attribute 'flavour' is not supported/],
  ])('refuses %j', (attributes, message) => {
    const error = errorOf([op('Resize', attributes, ['x', '', 's'])], { opset: 13, constants: [scales(1, 1, 2, 2)] });
    expect(error).toMatchObject({ code: 'model-unsupported', message: expect.stringMatching(message) as string });
  });

  it('refuses to shrink with a filter, and to stretch channels', () => {
    const small = { opset: 18, constants: [scales(1, 1, 0.5, 0.5)] };
    expect(errorOf([op('Resize', { mode: 'linear', antialias: 1 }, ['x', '', 's'])], small).message).toMatch(/antialias is not supported/);
    expect(errorOf([op('Resize', {}, ['x', '', 's'])], { opset: 13, constants: [scales(1, 2, 1, 1)] }).message).toMatch(/\[1,4,6,6\] to \[1,8,6,6\] is not supported/);
    expect(errorOf([op('Resize', {}, ['x', '', 's'])], { opset: 13, constants: [scales(1, 1, -1, 1)] }).message).toMatch(/the scale -1 is wrong/);
    expect(errorOf([op('Resize', {}, ['x'])], { opset: 13 }).message).toMatch(/neither scales nor sizes/);
    expect(errorOf([op('Resize', {}, ['x', '', '', 'z'])], { opset: 13, constants: [integers('z', 1, 4, 0, 3)] }).message).toMatch(/the sizes \[1,4,0,3\] do not fit/);
  });
});
