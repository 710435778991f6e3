"""What takes no multiply-accumulates by convention: norms, activations, pooling, resizing, moving data.

Names are those of torch's graphs and of its kernels, without `aten::` and the trailing underscore of those
that work in place. Everything else that a counter meets and cannot count makes the count incomplete; einsum
is one of them on purpose: its cost depends on the order in which torch multiplies.
"""

_GRAPHS = """
    batch_norm group_norm instance_norm layer_norm rms_norm norm linalg_vector_norm
    relu relu6 leaky_relu prelu elu celu selu gelu glu silu mish hardswish hardsigmoid hardtanh
    sigmoid log_sigmoid tanh softplus softmax log_softmax threshold
    add sub rsub mul div neg abs pow square sqrt rsqrt reciprocal exp log erf sin cos sign
    clamp_min clamp_max minimum maximum lerp addcmul addcdiv where ne lt le logical_not
    sum mean var std var_mean amax amin min argmax cumsum topk
    avg_pool1d avg_pool2d max_pool1d max_pool2d
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool1d adaptive_max_pool2d
    upsample_nearest2d upsample_nearest1d upsample_bilinear2d upsample_bicubic2d grid_sampler
    pixel_shuffle pixel_unshuffle channel_shuffle im2col col2im
    pad reflection_pad2d replication_pad2d fill unflatten repeat repeat_interleave tile clone flip
    index_select embedding movedim expand_as view_as reshape_as tril triu eye linspace ones_like dropout
    feature_dropout alpha_dropout
"""

# Beside the names above, and beside what torch itself tags as a view or as an operation on single elements.
_KERNELS = """
    native_batch_norm _native_batch_norm_legit_no_training native_group_norm native_layer_norm
    _fused_rms_norm _softmax _log_softmax _safe_softmax max
    max_pool2d_with_indices _adaptive_avg_pool2d
    _upsample_bilinear2d_aa _upsample_bicubic2d_aa upsample_linear1d grid_sampler_2d
    cat stack constant_pad_nd roll gather scatter index index_put copy _to_copy _unsafe_view as_strided
    numel empty empty_like zero zeros zeros_like ones full full_like new_zeros new_empty new_full arange
    scalar_tensor cumprod sort prod any all native_dropout lift_fresh
"""


def is_free(operation: str) -> bool:
    """Whether an operation, as `aten::relu_`, takes none by its name."""
    namespace, _, name = operation.partition("::")
    return namespace == "aten" and name.removesuffix("_") in _FREE


_FREE = frozenset((_GRAPHS + _KERNELS).split())
