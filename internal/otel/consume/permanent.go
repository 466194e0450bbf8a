// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package consume

import (
	"errors"
	"reflect"

	"go.opentelemetry.io/collector/consumer/consumererror"
)

// permanentType is the type of consumererror's permanent errors, which is not exported.
var permanentType = reflect.TypeOf(consumererror.NewPermanent(errors.New("permanent")))

// IsPermanent reports whether sending the same data again is useless: every leaf of err's
// tree is at or below an error of consumererror.NewPermanent. It returns false for nil. For
// an error that contains the refused data, such as consumererror.Logs, the cause decides.
func IsPermanent(err error) bool {
	if err == nil {
		return false
	}
	if reflect.TypeOf(err) == permanentType {
		return true
	}
	switch wrapper := err.(type) { //nolint:errorlint // each node of the tree is examined alone
	case interface{ Unwrap() error }:
		return IsPermanent(wrapper.Unwrap())
	case interface{ Unwrap() []error }:
		return areAllPermanent(wrapper.Unwrap())
	default:
		return false
	}
}

func areAllPermanent(errs []error) bool {
	for _, err := range errs {
		if !IsPermanent(err) {
			return false
		}
	}
	return len(errs) > 0
}
