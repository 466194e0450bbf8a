// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package verify compares the output of a Collector with the truth of a simulation. It
// knows the output formats alone (OTLP JSON of the file exporter, the API of the call
// archive), and computes ids by the recipe of docs/ids.md on its own.
//
//	object.go   an object as the output has it, and the ids it must have
//	otlp.go     spans and records of the file exporter
//	archive.go  rows of the call archive, by its API
//	objects.go  objects against the truth
//	records.go  call detail records against the truth
//	report.go   what is wrong
package verify
