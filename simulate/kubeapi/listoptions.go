package kubeapi

import (
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// checkListOptions refuses combinations of options that no API server takes.
func (c *call) checkListOptions(watch bool) error {
	o := &internalversion.ListOptions{
		Watch: watch, Continue: c.query.Get("continue"), ResourceVersion: c.query.Get("resourceVersion"),
		ResourceVersionMatch: metav1.ResourceVersionMatch(c.query.Get("resourceVersionMatch")),
	}
	if c.query.Has("sendInitialEvents") {
		initial := c.flag("sendInitialEvents")
		o.SendInitialEvents = &initial
	}
	if problems := validation.ValidateListOptions(o, true); len(problems) > 0 {
		return apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: "ListOptions"}, "", problems)
	}
	return nil
}

// limit is how many objects the client wants; 0 is all. As on an API server
// there is no limit for who is content with any version.
func (c *call) limit() (int, error) {
	text := c.query.Get("limit")
	if text == "" || c.query.Get("resourceVersion") == "0" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, apierrors.NewBadRequest("limit: Invalid value: " + strconv.Quote(text) + ": it is not a number of objects")
	}
	return n, nil
}
