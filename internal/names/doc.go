// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package names has every attribute, event and metric name of the project once, and
// the mechanical rule that makes attribute names from wire names.
//
// The rule: the element path below an object, converted from lower camel case to
// snake case, with dots between levels, under the prefix of the object. So an element
// of a later release has a name without a release of this project.
// [MeetingServerAttribute] and the constants of this package are the exceptions.
//
// A new name is a new constant. constants_test.go reads the constants from the source
// and fails if one breaks the naming rules or changes a released name.
package names
