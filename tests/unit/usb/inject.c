#include "tests/unit/usb/inject.h"

#include <libusb-1.0/libusb.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

static struct {
    pthread_mutex_t lock;
    const char *function; /* NULL: none */
    unsigned at, calls;
    int code;
    bool ever, fired;
} plan = { .lock = PTHREAD_MUTEX_INITIALIZER };

void inject_at(const char *function, unsigned at, int libusb_code, bool ever)
{
    pthread_mutex_lock(&plan.lock);
    plan.function = function;
    plan.at = at;
    plan.calls = 0;
    plan.code = libusb_code;
    plan.ever = ever;
    plan.fired = false;
    pthread_mutex_unlock(&plan.lock);
}

bool inject_off(void)
{
    pthread_mutex_lock(&plan.lock);
    bool fired = plan.fired;
    plan.function = NULL;
    pthread_mutex_unlock(&plan.lock);
    return fired;
}

/* 0: go on to libusb. */
static int fails(const char *function)
{
    int code = 0;

    pthread_mutex_lock(&plan.lock);
    if (plan.function && strcmp(plan.function, function) == 0) {
        plan.calls++;
        if (plan.calls == plan.at || (plan.ever && plan.calls > plan.at)) {
            plan.fired = true;
            code = plan.code;
        }
    }
    pthread_mutex_unlock(&plan.lock);
    return code;
}

#define WRAP(name, params, args)                    \
    int __real_##name params;                       \
    int __wrap_##name params;                       \
    int __wrap_##name params                        \
    {                                               \
        int code = fails(#name);                    \
        return code != 0 ? code : __real_##name args; \
    }

WRAP(libusb_init, (libusb_context **ctx), (ctx))
WRAP(libusb_hotplug_register_callback,
     (libusb_context *ctx, int events, int flags, int vendor, int product, int class_code,
      libusb_hotplug_callback_fn fn, void *user, libusb_hotplug_callback_handle *handle),
     (ctx, events, flags, vendor, product, class_code, fn, user, handle))
WRAP(libusb_handle_events_timeout_completed,
     (libusb_context *ctx, struct timeval *tv, int *completed), (ctx, tv, completed))
WRAP(libusb_get_port_numbers, (libusb_device *dev, uint8_t *ports, int n), (dev, ports, n))
WRAP(libusb_get_device_descriptor,
     (libusb_device *dev, struct libusb_device_descriptor *out), (dev, out))
WRAP(libusb_get_active_config_descriptor,
     (libusb_device *dev, struct libusb_config_descriptor **out), (dev, out))
WRAP(libusb_open, (libusb_device *dev, libusb_device_handle **out), (dev, out))
WRAP(libusb_set_auto_detach_kernel_driver, (libusb_device_handle *h, int on), (h, on))
WRAP(libusb_claim_interface, (libusb_device_handle *h, int i), (h, i))
WRAP(libusb_release_interface, (libusb_device_handle *h, int i), (h, i))
WRAP(libusb_clear_halt, (libusb_device_handle *h, unsigned char endpoint), (h, endpoint))
WRAP(libusb_reset_device, (libusb_device_handle *h), (h))
WRAP(libusb_submit_transfer, (struct libusb_transfer *x), (x))
WRAP(libusb_cancel_transfer, (struct libusb_transfer *x), (x))

struct libusb_transfer *__real_libusb_alloc_transfer(int packets);
struct libusb_transfer *__wrap_libusb_alloc_transfer(int packets);
struct libusb_transfer *__wrap_libusb_alloc_transfer(int packets)
{
    return fails("libusb_alloc_transfer") ? NULL : __real_libusb_alloc_transfer(packets);
}
