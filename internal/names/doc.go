// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package names holds every attribute, event and metric name of the project
// once, and the mechanical rule by which wire names become attribute names.
//
// The rule: the element path below an object, lower camel case to snake case,
// dots between levels, under the object's own prefix. An element nobody has
// seen yet has a name without a release of this project. The exceptions are
// listed at [MeetingServerAttribute] and in the constants of this package.
package names
