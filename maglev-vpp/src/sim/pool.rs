//! Pure. A pool that hands out indices as VPP's does: the one freed last comes back first. (`src/vppinfra/pool.h`.)

/// Elements with stable indices.
#[derive(Clone, Debug)]
pub(super) struct Pool<T> {
    slots: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Pool<T> {
    fn default() -> Pool<T> {
        Pool { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Pool<T> {
    pub(super) fn insert(&mut self, element: T) -> usize {
        match self.free.pop() {
            Some(index) => {
                self.slots[index] = Some(element);
                index
            }
            None => {
                self.slots.push(Some(element));
                self.slots.len() - 1
            }
        }
    }

    pub(super) fn remove(&mut self, index: usize) -> Option<T> {
        let element = self.slots.get_mut(index)?.take();
        if element.is_some() {
            self.free.push(index);
        }
        element
    }

    pub(super) fn get(&self, index: usize) -> Option<&T> {
        self.slots.get(index)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.slots.get_mut(index)?.as_mut()
    }

    /// All elements with their indices, in the order of the indices.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| Some((index, slot.as_ref()?)))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut T)> {
        self.slots.iter_mut().enumerate().filter_map(|(index, slot)| Some((index, slot.as_mut()?)))
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}
