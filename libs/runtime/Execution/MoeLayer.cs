using System.Collections.Immutable;
using Parallax.Runtime.Models;

namespace Parallax.Runtime.Execution;

/// <summary>The matrices of one mixture-of-experts block, experts in id order.</summary>
public sealed record MoeLayer(
    MoeFeedForwardSpec Spec,
    DeviceMatrix Router,
    ImmutableArray<DeviceMatrix> Gates,
    ImmutableArray<DeviceMatrix> Ups,
    ImmutableArray<DeviceMatrix> Downs);
