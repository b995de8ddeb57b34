/* A Vulkan layer for drivers without hardware (RADV's null winsys): there is memory, and fences, semaphores and submits
 * succeed at once and do nothing, so that WebGPU implementations open a device there and compile pipelines. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vulkan.h>
#include <vulkan/vk_layer.h>
static PFN_vkGetInstanceProcAddr nextInstance;
static PFN_vkGetDeviceProcAddr nextDevice;
typedef struct { uint64_t value; } Sync;
#define SYNC(handle) ((Sync *)(uintptr_t)(handle))

static void *chain(const void *pNext, VkStructureType type) { /* the loader's link */
  for (const VkBaseInStructure *s = pNext; s; s = s->pNext)
    if (s->sType == type && ((VkLayerInstanceCreateInfo *)s)->function == VK_LAYER_LINK_INFO) return (void *)s;
  return 0;
}
static VkResult CreateInstance(const VkInstanceCreateInfo *info, const VkAllocationCallbacks *a, VkInstance *out) {
  VkLayerInstanceCreateInfo *link = chain(info->pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
  nextInstance = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  return ((PFN_vkCreateInstance)nextInstance(0, "vkCreateInstance"))(info, a, out);
}
static VkResult CreateDevice(VkPhysicalDevice p, const VkDeviceCreateInfo *info, const VkAllocationCallbacks *a, VkDevice *out) {
  VkLayerDeviceCreateInfo *link = chain(info->pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
  PFN_vkGetInstanceProcAddr get = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  nextDevice = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  return ((PFN_vkCreateDevice)get(0, "vkCreateDevice"))(p, info, a, out);
}
static void Memory(VkPhysicalDevice p, VkPhysicalDeviceMemoryProperties *m) {
  memset(m, 0, sizeof *m);
  m->memoryHeapCount = m->memoryTypeCount = 1;
  m->memoryHeaps[0].size = 1ull << 36;
  m->memoryHeaps[0].flags = VK_MEMORY_HEAP_DEVICE_LOCAL_BIT;
  m->memoryTypes[0].propertyFlags = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                    VK_MEMORY_PROPERTY_HOST_COHERENT_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
}
static void Memory2(VkPhysicalDevice p, VkPhysicalDeviceMemoryProperties2 *m) {
  Memory(p, &m->memoryProperties);
  for (VkBaseOutStructure *b = m->pNext; b; b = b->pNext)
    if (b->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT) {
      ((VkPhysicalDeviceMemoryBudgetPropertiesEXT *)b)->heapBudget[0] = 1ull << 36;
      ((VkPhysicalDeviceMemoryBudgetPropertiesEXT *)b)->heapUsage[0] = 0;
    }
}
/* Requirements as the driver has them, in that one type of memory. */
#define NEXT(name) ((PFN_##name)nextDevice(d, #name))
static void BufferNeeds(VkDevice d, VkBuffer b, VkMemoryRequirements *r) { NEXT(vkGetBufferMemoryRequirements)(d, b, r); r->memoryTypeBits = 1; }
static void ImageNeeds(VkDevice d, VkImage i, VkMemoryRequirements *r) { NEXT(vkGetImageMemoryRequirements)(d, i, r); r->memoryTypeBits = 1; }
static void BufferNeeds2(VkDevice d, const VkBufferMemoryRequirementsInfo2 *b, VkMemoryRequirements2 *r) {
  NEXT(vkGetBufferMemoryRequirements2)(d, b, r); r->memoryRequirements.memoryTypeBits = 1;
}
static void ImageNeeds2(VkDevice d, const VkImageMemoryRequirementsInfo2 *i, VkMemoryRequirements2 *r) {
  NEXT(vkGetImageMemoryRequirements2)(d, i, r); r->memoryRequirements.memoryTypeBits = 1;
}
static VkResult CreateSemaphore(VkDevice d, const VkSemaphoreCreateInfo *i, const VkAllocationCallbacks *a, VkSemaphore *o) {
  *o = (VkSemaphore)(uintptr_t)calloc(1, sizeof(Sync)); return VK_SUCCESS;
}
static VkResult CreateFence(VkDevice d, const VkFenceCreateInfo *i, const VkAllocationCallbacks *a, VkFence *o) {
  *o = (VkFence)(uintptr_t)calloc(1, sizeof(Sync)); return VK_SUCCESS;
}
static void DestroySemaphore(VkDevice d, VkSemaphore s, const VkAllocationCallbacks *a) { free(SYNC(s)); }
static void DestroyFence(VkDevice d, VkFence f, const VkAllocationCallbacks *a) { free(SYNC(f)); }
static VkResult Fences(VkDevice d, uint32_t n, const VkFence *f) { return VK_SUCCESS; }
static VkResult WaitForFences(VkDevice d, uint32_t n, const VkFence *f, VkBool32 all, uint64_t t) { return VK_SUCCESS; }
static VkResult GetFenceStatus(VkDevice d, VkFence f) { return VK_SUCCESS; }
static VkResult Counter(VkDevice d, VkSemaphore s, uint64_t *v) { *v = SYNC(s)->value; return VK_SUCCESS; }
static VkResult WaitSemaphores(VkDevice d, const VkSemaphoreWaitInfo *i, uint64_t t) { return VK_SUCCESS; }
static VkResult SignalSemaphore(VkDevice d, const VkSemaphoreSignalInfo *i) { SYNC(i->semaphore)->value = i->value; return VK_SUCCESS; }
static VkResult QueueSubmit(VkQueue q, uint32_t n, const VkSubmitInfo *s, VkFence f) {
  for (uint32_t i = 0; i < n; i++)
    for (const VkBaseInStructure *b = s[i].pNext; b; b = b->pNext)
      if (b->sType == VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO) {
        const VkTimelineSemaphoreSubmitInfo *t = (const void *)b;
        for (uint32_t j = 0; j < t->signalSemaphoreValueCount && j < s[i].signalSemaphoreCount; j++)
          SYNC(s[i].pSignalSemaphores[j])->value = t->pSignalSemaphoreValues[j];
      }
  return VK_SUCCESS;
}
static VkResult QueueWaitIdle(VkQueue q) { return VK_SUCCESS; }
static VkResult DeviceWaitIdle(VkDevice d) { return VK_SUCCESS; }
static VkResult Nothing(void) { return VK_SUCCESS; } /* recording of commands */

static PFN_vkVoidFunction own(const char *name) {
  static const struct { const char *name; void *function; } table[] = {
    {"vkCreateSemaphore", CreateSemaphore}, {"vkDestroySemaphore", DestroySemaphore}, {"vkCreateFence", CreateFence},
    {"vkDestroyFence", DestroyFence}, {"vkResetFences", Fences}, {"vkWaitForFences", WaitForFences},
    {"vkGetFenceStatus", GetFenceStatus}, {"vkGetSemaphoreCounterValue", Counter},
    {"vkGetSemaphoreCounterValueKHR", Counter}, {"vkWaitSemaphores", WaitSemaphores},
    {"vkWaitSemaphoresKHR", WaitSemaphores}, {"vkSignalSemaphore", SignalSemaphore},
    {"vkSignalSemaphoreKHR", SignalSemaphore}, {"vkQueueSubmit", QueueSubmit}, {"vkQueueWaitIdle", QueueWaitIdle},
    {"vkDeviceWaitIdle", DeviceWaitIdle},
    {"vkGetPhysicalDeviceMemoryProperties", Memory}, {"vkGetPhysicalDeviceMemoryProperties2", Memory2},
    {"vkGetPhysicalDeviceMemoryProperties2KHR", Memory2},
    {"vkGetBufferMemoryRequirements", BufferNeeds}, {"vkGetBufferMemoryRequirements2", BufferNeeds2},
    {"vkGetBufferMemoryRequirements2KHR", BufferNeeds2}, {"vkGetImageMemoryRequirements", ImageNeeds},
    {"vkGetImageMemoryRequirements2", ImageNeeds2}, {"vkGetImageMemoryRequirements2KHR", ImageNeeds2}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (!strcmp(name, table[i].name)) return (PFN_vkVoidFunction)table[i].function;
  return 0;
}
VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL layer_device(VkDevice device, const char *name) {
  if (!strcmp(name, "vkGetDeviceProcAddr")) return (PFN_vkVoidFunction)layer_device;
  PFN_vkVoidFunction mine = own(name), next = nextDevice(device, name);
  if (next && (!strncmp(name, "vkCmd", 5) || !strcmp(name, "vkBeginCommandBuffer") || !strcmp(name, "vkEndCommandBuffer") ||
               !strcmp(name, "vkResetCommandBuffer") || !strcmp(name, "vkResetCommandPool")))
    return (PFN_vkVoidFunction)Nothing;
  return mine ? mine : next;
}
VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL layer_instance(VkInstance instance, const char *name) {
  if (!strcmp(name, "vkGetInstanceProcAddr")) return (PFN_vkVoidFunction)layer_instance;
  if (!strcmp(name, "vkGetDeviceProcAddr")) return (PFN_vkVoidFunction)layer_device;
  if (!strcmp(name, "vkCreateInstance")) return (PFN_vkVoidFunction)CreateInstance;
  if (!strcmp(name, "vkCreateDevice")) return (PFN_vkVoidFunction)CreateDevice;
  PFN_vkVoidFunction mine = own(name);
  return mine ? mine : nextInstance(instance, name);
}
