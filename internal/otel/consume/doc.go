// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package consume classifies the errors of a pipeline's next consumer.
//
// A pipeline with several branches joins their errors. The joined error is permanent only
// if no branch can still accept the data: if a component gave up because one branch refused
// the data permanently, a branch that was only busy would lose it. Components therefore
// call [IsPermanent], and not the function of the same name in consumererror, which returns
// true for one permanent branch. The package is pure; its tests are a table of errors.
package consume
