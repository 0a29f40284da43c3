export default {
  title: '面试',
}
