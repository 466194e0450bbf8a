// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package consume reads what the next consumer of a pipeline returned.
//
// A pipeline with several branches joins the errors of its branches. The error
// of the whole is permanent only if no branch can still take the data: a sender
// that gives up because one branch refused the data takes it from the branch
// that was only busy. Components therefore ask [IsPermanent], and not the
// function of the same name in consumererror, which is true as soon as one
// branch refused.
package consume
