// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

import "strings"

// OCMSAttribute returns the name of an attribute that an application added to an accounting
// event, or of a repeated documented one.
func OCMSAttribute(key string) string {
	return OCMSAttributePrefix + "." + strings.ToLower(strings.ReplaceAll(Snake(key), "-", "_"))
}
