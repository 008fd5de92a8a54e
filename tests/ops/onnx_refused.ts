/**
 * Official ONNX operator cases that are refused, with a word of the reason. A case that is refused without standing
 * here is a failure, and so is one that stands here and is not.
 */
export const REFUSED: Readonly<Record<string, string>> = {
  test_batchnorm_epsilon_training_mode: 'training_mode',
  test_batchnorm_example_training_mode: 'training_mode',
  test_constant: 'is a constant',
  test_dropout_default_mask: 'mask is used',
  test_dropout_default_mask_ratio: 'mask is used',
  test_training_dropout_zero_ratio_mask: 'mask is used',
  test_maxpool_with_argmax_2d_precomputed_pads: 'second output',
  test_maxpool_with_argmax_2d_precomputed_strides: 'second output',
  test_reduce_sum_empty_set: 'is open',
  test_reduce_sum_empty_set_non_reduced_axis_zero: 'is open',
  test_reshape_allowzero_reordered: 'allowzero',
  test_slice_start_out_of_bounds: 'is empty',
};
