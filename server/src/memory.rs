//! What the allocator does with memory that was given back.

/// Beyond this much at the end of a heap, memory goes back to the kernel.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const TRIM_BYTES: i32 = 64 << 20;
/// Larger pieces are mapped by themselves. The largest that glibc accepts.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MMAP_BYTES: i32 = 32 << 20;

/// Lets the process keep what it gives back. A batch of events takes some megabytes for some milliseconds: with glibc's
/// defaults each one asks the kernel for the same pages anew, which costs 7 % of what can be ingested (P1).
pub fn keep() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(
        unsafe_code,
        reason = "mallopt has no safe wrapper; called before other threads exist, with valid settings"
    )]
    // SAFETY: mallopt takes two integers and touches nothing but the allocator's settings.
    unsafe {
        libc::mallopt(libc::M_TRIM_THRESHOLD, TRIM_BYTES);
        libc::mallopt(libc::M_MMAP_THRESHOLD, MMAP_BYTES);
    }
}
