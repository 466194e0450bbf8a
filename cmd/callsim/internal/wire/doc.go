// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package wire writes call detail records as a Call Bridge sends them: compact
// XML, a line feed after each record start tag, the elements in the order seen
// on live systems.
//
// It has two pure steps. [Encode] turns one event into a record, which does not
// yet know its indices; [Body] turns numbered records into the body of one POST.
// Nothing is kept between calls and nothing is parsed: the package can only write.
package wire
