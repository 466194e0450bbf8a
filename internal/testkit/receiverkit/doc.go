// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package receiverkit runs a receiver in a test as a Collector does: Receiver has one
// component for each signal, with a log and internal metrics that the test reads; Posted
// is a receiver that listens for HTTP posts. Failing, Refusing and Gated are consumers
// that refuse or wait. Acknowledgement has the tests that all posted receivers pass;
// ContractFactory prepares a receiver for the Collector's contract checker. Only tests
// import it.
package receiverkit
