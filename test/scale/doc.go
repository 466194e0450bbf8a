// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package scale holds the tests of estates with more than one Collector: the files of
// config/scale as they are, real processes, Kafka's protocol, and callsim as several
// clusters of Call Bridges. Processes are killed and brokers go away meanwhile. In the
// end callsim's truth must be in the backend and in the archive, each span once.
//
//	process_test.go  a Collector as a process that can be killed and started again
//	sink_test.go     the OTLP backend of one stitcher
//	broker_test.go   Kafka: franz-go's kfake, which keeps its data on disk
//	truth_test.go    what callsim says, compared with spans, records and rows
//	estate_test.go   the parts of an estate together
//
// The short form is part of make test. make scale runs the long form, with outages of a
// minute, and prints the figures of docs/scale.md.
package scale
